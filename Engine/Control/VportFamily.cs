using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Control;

/// <summary><c>ovs_vport</c>: adds, changes, removes and lists ports.</summary>
internal sealed class VportFamily(ControlServer server, ushort id) : ControlFamily(id, "ovs_vport", 1, sizeof(int), OvsVportAttributes.Policies)
{
    private const byte New = 1, Delete = 2, Get = 3, Set = 4;

    /// <inheritdoc/>
    public override ImmutableArray<ControlOperation> Operations { get; } =
        [ControlOperation.Restricted(New), ControlOperation.Restricted(Delete), ControlOperation.Open(Get, canDump: true), ControlOperation.Restricted(Set)];

    /// <inheritdoc/>
    public override Errno Do(in ControlRequest request, ref ExtendedAck ack)
    {
        Errno errno = OvsVportAttributes.TryParse(request.Attributes, request.AttributesOffset, ref ack, out OvsVportAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        byte command = request.Generic.Command;
        ControlledVport? port;
        errno = command == New ? Add(in request, in attributes, out port) : Find(in request, in attributes, out port);
        if (errno == Errno.None && command == Set)
        {
            errno = Change(port!, in attributes);
        }
        else if (errno == Errno.None && command == Delete && port!.IsLocal)
        {
            errno = Errno.InvalidArgument;
        }

        if (errno != Errno.None)
        {
            return errno;
        }

        NetlinkWriter writer = server.BeginReply();
        Write(ref writer, request.Answer, port!, command, 0);
        if (command == Get)
        {
            request.Client.Send(writer.Written);
            return Errno.None;
        }

        if (command == Delete)
        {
            server.Datapaths.RemoveVport(port!);
        }

        server.Notify(in request, writer.Written);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno StartDump(in ControlRequest request, ref ExtendedAck ack, out ControlDump? dump)
    {
        ControlledDatapath? datapath = server.Datapaths.Find(request.Ifindex);
        dump = new ListDump<ControlledVport>(
            request.Answer,
            datapath?.ListPorts() ?? [],
            static (ref writer, target, port, flags) => Write(ref writer, target, port, Get, flags),
            () => datapath?.PortChanges ?? 0,
            static port => port.Datapath.Find(port.Vport.Number) == port)
        {
            Result = datapath is null ? Errno.NoDevice : Errno.None,
        };
        return Errno.None;
    }

    /// <summary>Takes a port away whose device has gone, and tells the group (<c>dp_detach_port_notify</c>).</summary>
    /// <returns>False for a local port, which goes with its datapath.</returns>
    public bool Detach(ControlledVport port)
    {
        if (port.IsLocal)
        {
            return false;
        }

        NetlinkWriter writer = server.BeginReply();
        Write(ref writer, new MessageTarget(this, 0, 0), port, Delete, 0);
        server.Datapaths.RemoveVport(port);
        server.Clients.Multicast(Group, writer.Written, except: null);
        return true;
    }

    // The kernel's ovs_vport_cmd_new.
    private Errno Add(in ControlRequest request, in OvsVportAttributes attributes, out ControlledVport? port)
    {
        port = null;
        if (!attributes.HasName || !attributes.HasType || !attributes.HasUpcallPortIds)
        {
            return Errno.InvalidArgument;
        }

        if (attributes.HasIfindex && (VportType)attributes.Type != VportType.Internal)
        {
            return Errno.NotSupported;
        }

        uint number = attributes.PortNumber;
        if (number >= ControlledDatapath.MaximumPorts)
        {
            return Errno.FileTooBig;
        }

        if (server.Datapaths.Find(request.Ifindex) is not { } datapath)
        {
            return Errno.NoDevice;
        }

        if (number == 0)
        {
            number = datapath.FindFreeNumber();
            if (number >= ControlledDatapath.MaximumPorts)
            {
                return Errno.FileTooBig;
            }
        }
        else if (datapath.Find(number) is not null)
        {
            return Errno.Busy;
        }

        Errno errno = TryReadRequest(in attributes, out VportRequest wish);
        if (errno == Errno.None)
        {
            errno = ControlledVport.TryReadPortIds(attributes.UpcallPortIds, out uint[] portIds);
            if (errno == Errno.None)
            {
                errno = server.Datapaths.AddVport(datapath, number, wish, portIds, out port);
            }
        }

        return errno;
    }

    private static Errno TryReadRequest(in OvsVportAttributes attributes, out VportRequest request)
    {
        request = new VportRequest(Encoding.UTF8.GetString(attributes.Name), (VportType)attributes.Type) { Ifindex = attributes.Ifindex };
        switch (request.Type)
        {
            case VportType.Netdev or VportType.Internal:
                return TryReadDriver(in attributes, ref request);
            case VportType.Gre or VportType.Gre64 or VportType.Ip6Gre or VportType.Erspan or VportType.Ip6Erspan or VportType.Srv6:
                return Errno.None;
            default:
                return request.Type.IsUdpTunnel() ? TryReadTunnel(in attributes, ref request) : Errno.AddressFamilyNotSupported;
        }
    }

    // Options of the engine's own: the kernel reads none of these ports.
    private static Errno TryReadDriver(in OvsVportAttributes attributes, ref VportRequest request)
    {
        if (!attributes.HasOptions)
        {
            return Errno.None;
        }

        ExtendedAck ignored = default;
        Errno errno = EngineVportAttributes.TryParse(attributes.Options, 0, ref ignored, out EngineVportAttributes options);
        if (errno != Errno.None || options.Workers.Length % sizeof(int) != 0)
        {
            return Errno.InvalidArgument;
        }

        request = request with
        {
            Options = new VportOptions
            {
                Driver = (NetdevDriverKind)options.Driver,
                RingCount = (int)options.RingCount,
                Workers = [.. MemoryMarshal.Cast<byte, int>(options.Workers)],
            },
        };
        return Errno.None;
    }

    // Of options that come twice the first counts, as the kernel's nla_find_nested has it.
    private static Errno TryReadTunnel(in OvsVportAttributes attributes, ref VportRequest request)
    {
        ushort? destinationPort = null;
        bool hasExtension = false;
        ReadOnlySpan<byte> extension = default;
        foreach (NetlinkAttribute option in new NetlinkAttributes(attributes.Options))
        {
            if (option.Type == (int)OvsTunnelAttribute.DestinationPort && destinationPort is null)
            {
                if (option.Payload.Length != sizeof(ushort))
                {
                    return Errno.InvalidArgument;
                }

                destinationPort = option.Read<ushort>();
            }
            else if (option.Type == (int)OvsTunnelAttribute.Extension && !hasExtension)
            {
                hasExtension = true;
                extension = option.Payload;
            }
        }

        if (destinationPort is null)
        {
            return Errno.InvalidArgument;
        }

        bool hasGroupPolicy = false, isGeneric = false;
        if (hasExtension && request.Type == VportType.Vxlan)
        {
            if (extension.Length < NetlinkAttribute.HeaderSize)
            {
                return Errno.InvalidArgument;
            }

            ExtendedAck ignored = default;
            Errno errno = OvsVxlanAttributes.TryParse(extension, 0, ref ignored, out OvsVxlanAttributes extensions);
            if (errno != Errno.None)
            {
                return errno;
            }

            hasGroupPolicy = extensions.GroupPolicy;
            isGeneric = extensions.Generic;
        }

        request = request with { DestinationPort = destinationPort, HasGroupPolicy = hasGroupPolicy, IsGeneric = isGeneric };
        return Errno.None;
    }

    // The kernel's lookup_vport.
    private Errno Find(in ControlRequest request, in OvsVportAttributes attributes, out ControlledVport? port)
    {
        port = null;
        if (attributes.HasIfindex)
        {
            return Errno.NotSupported;
        }

        if (attributes.HasName)
        {
            port = server.Datapaths.FindVport(attributes.Name);
            return port is null || (request.Ifindex != 0 && request.Ifindex != port.Datapath.Ifindex) ? Errno.NoDevice : Errno.None;
        }

        if (!attributes.HasPortNumber)
        {
            return Errno.InvalidArgument;
        }

        if (attributes.PortNumber >= ControlledDatapath.MaximumPorts)
        {
            return Errno.FileTooBig;
        }

        port = server.Datapaths.Find(request.Ifindex)?.Find(attributes.PortNumber);
        return port is null ? Errno.NoDevice : Errno.None;
    }

    // The kernel's ovs_vport_cmd_set. No type of port has options that can be changed.
    private static Errno Change(ControlledVport port, in OvsVportAttributes attributes)
    {
        if (attributes.HasType && attributes.Type != (uint)port.Vport.Type)
        {
            return Errno.InvalidArgument;
        }

        if (attributes.HasOptions)
        {
            return Errno.NotSupported;
        }

        if (!attributes.HasUpcallPortIds)
        {
            return Errno.None;
        }

        Errno errno = ControlledVport.TryReadPortIds(attributes.UpcallPortIds, out uint[] portIds);
        if (errno == Errno.None)
        {
            port.SetPortIds(portIds);
        }

        return errno;
    }

    // The kernel's ovs_vport_cmd_fill_info.
    private static void Write(ref NetlinkWriter writer, MessageTarget target, ControlledVport port, byte command, ushort flags)
    {
        VportStats stats = port.ReadStats();
        int start = target.Begin(ref writer, command, port.Datapath.Ifindex, flags);
        writer.PutOvsVportPortNumber(port.Vport.Number);
        writer.PutOvsVportType((uint)port.Vport.Type);
        writer.PutOvsVportName(port.Device.Name);
        writer.PutOvsVportIfindex(port.Device.Ifindex);
        writer.PutOvsVportStats(MemoryMarshal.AsBytes(new ReadOnlySpan<VportStats>(in stats)));
        ReadOnlySpan<uint> portIds = (port.Datapath.Features & DatapathFeatures.VportPortIds) != 0 ? port.PortIds : port.PortIds[..1];
        writer.PutOvsVportUpcallPortIds(MemoryMarshal.AsBytes(portIds));
        if (port.Vport.Type.IsUdpTunnel())
        {
            int options = writer.BeginOvsVportOptions();
            writer.PutOvsTunnelDestinationPort(port.Device.DestinationPort);
            if (port.Request.HasGroupPolicy)
            {
                int extension = writer.BeginOvsTunnelExtension();
                writer.PutOvsVxlanGroupPolicy();
                writer.EndNested(extension);
            }

            writer.EndNested(options);
        }

        writer.EndMessage(start);
    }
}
