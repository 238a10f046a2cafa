using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Control;

/// <summary><c>ovs_datapath</c>: makes, changes, removes and lists datapaths.</summary>
internal sealed class DatapathFamily(ControlServer server, ushort id) : ControlFamily(id, "ovs_datapath", 2, sizeof(int), OvsDatapathAttributes.Policies)
{
    private const byte New = 1, Delete = 2, Get = 3, Set = 4;

    // OVS_DP_VER_FEATURES: programs of an older version know of no features.
    private const byte FirstVersionWithFeatures = 2;

    /// <inheritdoc/>
    public override ImmutableArray<ControlOperation> Operations { get; } =
        [ControlOperation.Restricted(New), ControlOperation.Restricted(Delete), ControlOperation.Open(Get, canDump: true), ControlOperation.Restricted(Set)];

    /// <inheritdoc/>
    public override Errno Do(in ControlRequest request, ref ExtendedAck ack)
    {
        Errno errno = OvsDatapathAttributes.TryParse(request.Attributes, request.AttributesOffset, ref ack, out OvsDatapathAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (request.Generic.Command == New)
        {
            return Make(in request, in attributes);
        }

        if (Find(in request, in attributes) is not { } datapath)
        {
            return Errno.NoDevice;
        }

        if (request.Generic.Command == Set)
        {
            errno = datapath.Change(in attributes);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        NetlinkWriter writer = server.BeginReply();
        Write(ref writer, request.Answer, datapath, request.Generic.Command, 0);
        if (request.Generic.Command == Get)
        {
            request.Client.Send(writer.Written);
            return Errno.None;
        }

        if (request.Generic.Command == Delete)
        {
            server.Datapaths.Remove(datapath);
        }

        server.Notify(in request, writer.Written);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno StartDump(in ControlRequest request, ref ExtendedAck ack, out ControlDump? dump)
    {
        dump = new ListDump<ControlledDatapath>(
            request.Answer,
            [.. server.Datapaths.All],
            static (ref writer, target, datapath, flags) => Write(ref writer, target, datapath, Get, flags),
            () => server.Datapaths.Changes,
            datapath => server.Datapaths.Find(datapath.Ifindex) == datapath);
        return Errno.None;
    }

    // The kernel's ovs_dp_cmd_new.
    private Errno Make(in ControlRequest request, in OvsDatapathAttributes attributes)
    {
        if (!attributes.HasName || !attributes.HasUpcallPortId)
        {
            return Errno.InvalidArgument;
        }

        ControlledDatapath datapath = server.Datapaths.Make();
        Errno errno = datapath.Change(in attributes);
        if (errno == Errno.None)
        {
            errno = MakeLocalPort(datapath, in request, in attributes);
        }

        if (errno != Errno.None)
        {
            datapath.Datapath.Dispose();
            return errno;
        }

        NetlinkWriter writer = server.BeginReply();
        Write(ref writer, request.Answer, datapath, New, 0);
        server.Notify(in request, writer.Written);
        return Errno.None;
    }

    private Errno MakeLocalPort(ControlledDatapath datapath, in ControlRequest request, in OvsDatapathAttributes attributes)
    {
        VportRequest local = new(Encoding.UTF8.GetString(attributes.Name), VportType.Internal) { Ifindex = attributes.Ifindex };
        Errno errno = ControlledVport.TryReadPortIds(attributes.UpcallPortIdBytes, out uint[] portIds);
        if (errno == Errno.None)
        {
            errno = server.Datapaths.AddVport(datapath, 0, local, portIds, out _);
        }

        if (errno == Errno.Busy)
        {
            errno = Errno.Exists;
        }

        if (errno == Errno.Exists && request.Generic.Version < FirstVersionWithFeatures)
        {
            Find(in request, in attributes)?.ResetFeatures();
        }

        return errno;
    }

    // By the name of its local port, if there is one, else by its index.
    private ControlledDatapath? Find(in ControlRequest request, in OvsDatapathAttributes attributes)
    {
        if (!attributes.HasName)
        {
            return server.Datapaths.Find(request.Ifindex);
        }

        ControlledVport? port = server.Datapaths.FindVport(attributes.Name);
        return port is { IsLocal: true } ? port.Datapath : null;
    }

    // The kernel's ovs_dp_cmd_fill_info.
    private static void Write(ref NetlinkWriter writer, MessageTarget target, ControlledDatapath datapath, byte command, ushort flags)
    {
        DatapathStats stats = datapath.ReadStats();
        Span<ulong> words = stackalloc ulong[4];
        int start = target.Begin(ref writer, command, datapath.Ifindex, flags);
        writer.PutOvsDatapathName(datapath.Name);

        // struct ovs_dp_stats: n_hit, n_missed, n_lost, n_flows.
        (words[0], words[1], words[2], words[3]) = (stats.Hit, stats.Missed, stats.Lost, (ulong)datapath.Datapath.Flows.Count);
        writer.PutOvsDatapathStats(MemoryMarshal.AsBytes(words));

        // struct ovs_dp_megaflow_stats: n_mask_hit, n_masks and 4 bytes of padding, n_cache_hit, padding.
        (words[0], words[1], words[2], words[3]) = (stats.MaskHit, (uint)datapath.Datapath.Flows.MaskCount, stats.CacheHit, 0);
        writer.PutOvsDatapathMegaflowStats(MemoryMarshal.AsBytes(words));
        writer.PutOvsDatapathUserFeatures((uint)datapath.Features);
        writer.PutOvsDatapathMasksCacheSize(datapath.MasksCacheSize);
        if ((datapath.Features & DatapathFeatures.PerProcessorUpcalls) != 0 && !datapath.PortIds.IsEmpty)
        {
            writer.PutOvsDatapathPerProcessorPortIds(MemoryMarshal.AsBytes(datapath.PortIds));
        }

        writer.EndMessage(start);
    }
}
