using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Engine.Netlink;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Control;

/// <summary>Answers the generic netlink families of the kernel datapath: decodes a request, does it, and acknowledges it or tells its errno.</summary>
/// <remarks>
/// <para>No sockets here: a transport hands in what a client sent, and each <see cref="ControlClient"/> takes what goes to it.</para>
/// <para>Threads: any thread may call; one call at a time is served. Upcalls go past this lock, straight from the workers to their clients.</para>
/// </remarks>
public sealed class ControlServer : IDisposable
{
    // What Open vSwitch reads at once.
    private const int DatagramSize = 65536;

    // Two keys of at most 1 KiB and an attribute of 64 KiB: the longest message there is.
    private const int LongestMessage = 2 * DatagramSize;

    private readonly Lock _gate = new();
    private readonly ControlFamily[] _families;
    private readonly PacketFamily _packets;
    private readonly byte[] _reply = new byte[LongestMessage];
    private readonly byte[] _dump = new byte[LongestMessage];
    private byte[] _error = new byte[4096];

    /// <summary>Makes a server without datapaths.</summary>
    /// <param name="factory">Finds and makes the devices of ports.</param>
    /// <param name="options">The rest; null for the defaults.</param>
    public ControlServer(IVportFactory factory, ControlServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(factory);
        Options = options ?? new ControlServerOptions();
        ushort id = Options.FirstFamilyId;
        uint group = Options.FirstGroup;
        _packets = new PacketFamily(this, (ushort)(id + 3));
        Datapaths = new DatapathRegistry(this, factory, _packets);
        DatapathFamily datapaths = new(this, id) { GroupName = "ovs_datapath", Group = group };
        VportFamily vports = new(this, (ushort)(id + 1)) { GroupName = "ovs_vport", Group = group + 1 };
        FlowFamily flows = new(this, (ushort)(id + 2)) { GroupName = "ovs_flow", Group = group + 2 };
        MeterFamily meters = new(this, (ushort)(id + 4)) { GroupName = "ovs_meter", Group = group + 3 };
        ConntrackLimitFamily limits = new(this, (ushort)(id + 5)) { GroupName = "ovs_ct_limit", Group = group + 4 };
        Vports = vports;
        _families = [new ControllerFamily(this), datapaths, vports, flows, _packets, meters, limits, new EngineFamily(this, (ushort)(id + 6))];
    }

    internal ControlServerOptions Options { get; }

    internal ControlClients Clients { get; } = new();

    /// <summary>Frames for packets of requests that name no datapath.</summary>
    internal PacketPool SparePool { get; } = new(1, largeFrameCount: 1);

    internal DatapathRegistry Datapaths { get; }

    internal ZoneLimits ZoneLimits { get; } = new();

    internal VportFamily Vports { get; }

    internal IReadOnlyList<ControlFamily> Families => _families;

    /// <summary>The datapaths there are now.</summary>
    public ImmutableArray<ControlledDatapath> CurrentDatapaths
    {
        get
        {
            lock (_gate)
            {
                return [.. Datapaths.All];
            }
        }
    }

    /// <summary>Whether messages of this type are for one of the server's families, <c>nlctrl</c> included.</summary>
    public bool Serves(ushort type) => FindFamily(type) is not null;

    /// <summary>Whether the server has a family of this name, <c>nlctrl</c> not included.</summary>
    public bool Serves(ReadOnlySpan<char> name)
    {
        foreach (ControlFamily family in _families)
        {
            if (family is not ControllerFamily && name.SequenceEqual(family.Name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the server has a multicast group of this number, the one of <c>nlctrl</c> not included.</summary>
    internal bool HasGroup(uint group)
    {
        foreach (ControlFamily family in _families)
        {
            if (family is not ControllerFamily && family.GroupName is not null && family.Group == group)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Makes a client known, so that it gets notifications and upcalls.</summary>
    /// <returns>False when another one has its port id.</returns>
    public bool TryAdd(ControlClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        return Clients.TryAdd(client);
    }

    /// <summary>Forgets a client and its dump. What it has set up stays, as when a netlink socket is closed.</summary>
    public void Remove(ControlClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        lock (_gate)
        {
            Clients.Remove(client);
            client.Dump = null;
        }
    }

    /// <summary>Does what a client asks for. All answers have been handed to it when this returns, but for the rest of a long dump.</summary>
    /// <param name="client">Who asks.</param>
    /// <param name="buffer">One or more netlink messages. What follows a malformed one is left out, as the kernel does.</param>
    public void Handle(ControlClient client, ReadOnlySpan<byte> buffer)
    {
        ArgumentNullException.ThrowIfNull(client);
        lock (_gate)
        {
            foreach (ReadOnlySpan<byte> message in new NetlinkMessages(buffer))
            {
                HandleMessage(client, NetlinkMessages.HeaderOf(message), message);
            }

            _packets.Flush();
        }
    }

    /// <summary>Goes on with the dump of a client that has taken some of it.</summary>
    public void Continue(ControlClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        lock (_gate)
        {
            Pump(client);
        }
    }

    /// <summary>Detaches the port whose device has gone, and tells so (the kernel's netdevice notifier).</summary>
    /// <returns>False when no port has this device, or it is the local port of its datapath.</returns>
    public bool DetachDevice(int ifindex)
    {
        lock (_gate)
        {
            return Datapaths.FindVport(ifindex) is { } vport && Vports.Detach(vport);
        }
    }

    /// <summary>Gives the port of a device the name and MTU that the device has now.</summary>
    /// <returns>False when no port has this device.</returns>
    public bool ChangeDevice(int ifindex, string name, int maximumTransmissionUnit)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        lock (_gate)
        {
            if (Datapaths.FindVport(ifindex) is not { } vport || vport.Vport.Type is not (VportType.Netdev or VportType.Internal))
            {
                return false;
            }

            vport.Vport.MaximumTransmissionUnit = maximumTransmissionUnit;
            if (vport.Device.Name != name)
            {
                Datapaths.Rename(vport, name);
            }

            return true;
        }
    }

    /// <summary>The indexes of the host's devices that are ports.</summary>
    internal ImmutableArray<int> ListDevices()
    {
        lock (_gate)
        {
            return [.. Datapaths.All.SelectMany(static datapath => datapath.ListPorts())
                .Where(static port => port.Vport.Type is VportType.Netdev or VportType.Internal)
                .Select(static port => port.Device.Ifindex)];
        }
    }

    /// <summary>Takes all datapaths down.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (ControlledDatapath datapath in Datapaths.All.ToArray())
            {
                Datapaths.Remove(datapath);
            }

            SparePool.Dispose();
        }
    }

    /// <summary>A writer for an answer or a notification; there is one at a time.</summary>
    internal NetlinkWriter BeginReply() => new(_reply);

    /// <summary>Whether anybody wants to be told what a request has changed (<c>ovs_must_notify</c>).</summary>
    internal bool MustNotify(in ControlRequest request) =>
        request.Header.Has(NetlinkFlags.Echo) || Clients.HasMembers(request.Family.Group);

    /// <summary>Tells what a request has changed: to who asked, if it said so, and to the family's group (<c>ovs_notify</c>).</summary>
    internal void Notify(in ControlRequest request, ReadOnlySpan<byte> message)
    {
        bool echo = request.Header.Has(NetlinkFlags.Echo);
        Clients.Multicast(request.Family.Group, message, echo ? request.Client : null);
        if (echo)
        {
            request.Client.Send(message);
        }
    }

    /// <summary>Tells why a request is refused, as the kernel's log does; probes are not worth it.</summary>
    internal Errno Refuse(in Refusal refusal, bool isProbe = false)
    {
        if (!isProbe && refusal.Reason is not null)
        {
            Options.Log?.Invoke(refusal.Reason);
        }

        return refusal.Errno;
    }

    private ControlFamily? FindFamily(ushort type)
    {
        foreach (ControlFamily family in _families)
        {
            if (family.Id == type)
            {
                return family;
            }
        }

        return null;
    }

    // The kernel's netlink_rcv_skb.
    private void HandleMessage(ControlClient client, in NetlinkHeader header, ReadOnlySpan<byte> message)
    {
        ExtendedAck ack = default;
        Errno errno = Errno.None;
        if (header.Has(NetlinkFlags.Request) && header.Type >= NetlinkHeader.FirstFamilyType)
        {
            bool isDump = false;
            try
            {
                errno = Dispatch(client, in header, message, ref ack, out isDump);
            }
            catch (SystemCallException exception)
            {
                // The host gives no more descriptors or memory: this request fails, and nothing else.
                Options.Log?.Invoke(exception.Message);
                errno = exception.Errno;
            }

            if (isDump)
            {
                client.PrepareForDump(begins: true);
                Pump(client);
                return;
            }
        }

        if (errno != Errno.None || header.Has(NetlinkFlags.Ack))
        {
            Acknowledge(client, in header, message, errno, in ack);
        }
    }

    // The kernel's genl_rcv_msg.
    private Errno Dispatch(ControlClient client, in NetlinkHeader header, ReadOnlySpan<byte> message, ref ExtendedAck ack, out bool isDump)
    {
        isDump = false;
        if (FindFamily(header.Type) is not { } family)
        {
            return Errno.NoEntry;
        }

        int headers = NetlinkHeader.Size + GenericHeader.Size + family.HeaderSize;
        if (message.Length < headers)
        {
            return Errno.InvalidArgument;
        }

        GenericHeader generic = MemoryMarshal.Read<GenericHeader>(message[NetlinkHeader.Size..]);
        if (family.FindOperation(generic.Command) is not { } operation)
        {
            return Errno.NotSupported;
        }

        if (operation.IsRestricted && !client.IsAdministrator)
        {
            return Errno.NotPermitted;
        }

        if (!family.LetsPacketsWait)
        {
            _packets.Flush();
        }

        int ifindex = family.HeaderSize == 0 ? 0 : MemoryMarshal.Read<int>(message[(NetlinkHeader.Size + GenericHeader.Size)..]);
        ControlRequest request = new(client, family, header, generic, ifindex, message[headers..]);
        if (!header.Has(NetlinkFlags.Dump))
        {
            return operation.CanDo ? family.Do(in request, ref ack) : Errno.NotSupported;
        }

        if (!operation.CanDump)
        {
            return Errno.NotSupported;
        }

        if (client.IsDumping)
        {
            return Errno.Busy;
        }

        Errno errno = family.StartDump(in request, ref ack, out ControlDump? dump);
        client.Dump = dump;
        isDump = errno == Errno.None;
        return errno;
    }

    // The kernel's netlink_ack: errors repeat the request, acks only its header.
    private void Acknowledge(ControlClient client, in NetlinkHeader header, ReadOnlySpan<byte> message, Errno errno, in ExtendedAck ack)
    {
        bool isShort = errno == Errno.None || client.WantsShortErrors;
        bool isExtended = client.WantsExtendedAcks && !ack.IsEmpty;
        ReadOnlySpan<byte> repeated = isShort ? message[..NetlinkHeader.Size] : message;
        if (_error.Length < repeated.Length + 512)
        {
            _error = new byte[repeated.Length + 512];
        }

        NetlinkWriter writer = new(_error);
        int start = writer.BeginMessage(new NetlinkHeader
        {
            Type = NetlinkHeader.ErrorType,
            Flags = (ushort)((isShort ? NetlinkFlags.Capped : 0) | (isExtended ? NetlinkFlags.AckAttributes : 0)),
            Sequence = header.Sequence,
            PortId = client.PortId,
        });
        int result = -(int)errno;
        writer.PutRaw(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in result)));
        writer.PutRaw(repeated);
        if (isExtended)
        {
            Span<byte> padding = stackalloc byte[3];
            padding.Clear();
            writer.PutRaw(padding[..(-writer.Length & 3)]);
            ack.Write(ref writer);
        }

        writer.EndMessage(start);
        client.Send(writer.Written);
    }

    private void Pump(ControlClient client)
    {
        while (client.Dump is { } dump)
        {
            if (dump.Waiting is { } waiting)
            {
                if (!client.TrySendDump(waiting))
                {
                    return;
                }

                dump.Waiting = null;
            }
            else
            {
                NetlinkWriter writer = new(_dump);
                dump.Fill(ref writer, DatagramSize);
                if (!client.TrySendDump(writer.Written))
                {
                    dump.Waiting = writer.Written.ToArray();
                    return;
                }
            }

            if (dump.IsEnded && dump.Waiting is null)
            {
                client.Dump = null;
                client.PrepareForDump(begins: false);
            }
        }
    }
}
