using System.Runtime.InteropServices;
using System.Text;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Control;

/// <summary>Datapaths, ports and flows of a server, by the kernel's generic netlink families.</summary>
/// <remarks>
/// <para>Every method gives the server's errno; what it said beyond is in <see cref="ControlConnection.Reason"/>. A server that goes away
/// meanwhile ends in a <see cref="Platform.SystemCallException"/>.</para>
/// <para>Threads: one at a time.</para>
/// </remarks>
/// <param name="connection">The way to the server; stays the caller's.</param>
public sealed class DatapathClient(ControlConnection connection)
{
    private const byte New = 1, Delete = 2, Get = 3, Set = 4;
    private const int FamilyHeaders = NetlinkHeader.Size + GenericHeader.Size;
    private const int AttributesOffset = FamilyHeaders + sizeof(int);

    /// <summary>The way to the server.</summary>
    public ControlConnection Connection { get; } = connection;

    /// <summary>Lists the datapaths.</summary>
    public Errno ListDatapaths(out List<DatapathEntry> datapaths)
    {
        List<DatapathEntry> found = [];
        NetlinkWriter request = Connection.Begin("ovs_datapath", Get);
        Errno errno = Connection.Dump(ref request, message => found.Add(ReadDatapath(message)));
        datapaths = found;
        return errno;
    }

    /// <summary>Finds a datapath by its name.</summary>
    public Errno FindDatapath(string name, out DatapathEntry? datapath)
    {
        NetlinkWriter request = Connection.Begin("ovs_datapath", Get);
        request.PutOvsDatapathName(name);
        Errno errno = Connection.Transact(ref request, out ReadOnlyMemory<byte> reply);
        datapath = errno == Errno.None ? ReadDatapath(reply.Span) : null;
        return errno;
    }

    /// <summary>Makes a datapath.</summary>
    public Errno AddDatapath(string name)
    {
        // No port id for upcalls: what matches no flow is dropped until a switch opens the datapath.
        NetlinkWriter request = Connection.Begin("ovs_datapath", New);
        request.PutOvsDatapathName(name);
        request.PutOvsDatapathUpcallPortId(0);
        return Connection.Transact(ref request, out _);
    }

    /// <summary>Removes a datapath.</summary>
    public Errno DeleteDatapath(string name)
    {
        NetlinkWriter request = Connection.Begin("ovs_datapath", Delete);
        request.PutOvsDatapathName(name);
        return Connection.Transact(ref request, out _);
    }

    /// <summary>Sets the entries of the cache of masks.</summary>
    public Errno SetMasksCacheSize(string name, uint size)
    {
        NetlinkWriter request = Connection.Begin("ovs_datapath", Set);
        request.PutOvsDatapathName(name);
        request.PutOvsDatapathMasksCacheSize(size);
        return Connection.Transact(ref request, out _);
    }

    /// <summary>Lists the ports of a datapath.</summary>
    public Errno ListVports(int ifindex, out List<VportEntry> ports)
    {
        List<VportEntry> found = [];
        NetlinkWriter request = Connection.Begin("ovs_vport", Get, ifindex);
        Errno errno = Connection.Dump(ref request, message => found.Add(ReadVport(message)));
        ports = found;
        return errno;
    }

    /// <summary>Finds a port of a datapath by its name.</summary>
    public Errno FindVport(int ifindex, string name, out VportEntry? port)
    {
        NetlinkWriter request = Connection.Begin("ovs_vport", Get, ifindex);
        request.PutOvsVportName(name);
        Errno errno = Connection.Transact(ref request, out ReadOnlyMemory<byte> reply);
        port = errno == Errno.None ? ReadVport(reply.Span) : null;
        return errno;
    }

    /// <summary>Adds a port.</summary>
    /// <param name="ifindex">The datapath.</param>
    /// <param name="wish">What it is to be.</param>
    /// <param name="number">Its number; null for the first that is free.</param>
    public Errno AddVport(int ifindex, VportRequest wish, uint? number)
    {
        ArgumentNullException.ThrowIfNull(wish);
        NetlinkWriter request = Connection.Begin("ovs_vport", New, ifindex);
        request.PutOvsVportType((uint)wish.Type);
        request.PutOvsVportName(wish.Name);
        request.Put((int)OvsVportAttribute.UpcallPortIds, 0u);
        if (number is { } value)
        {
            request.PutOvsVportPortNumber(value);
        }

        PutOptions(ref request, wish.Options);
        if (wish.DestinationPort is { } destination)
        {
            int options = request.BeginOvsVportOptions();
            request.PutOvsTunnelDestinationPort(destination);
            if (wish.HasGroupPolicy)
            {
                int extension = request.BeginOvsTunnelExtension();
                request.PutOvsVxlanGroupPolicy();
                request.EndNested(extension);
            }

            request.EndNested(options);
        }

        return Connection.Transact(ref request, out _);
    }

    /// <summary>Removes a port.</summary>
    public Errno DeleteVport(int ifindex, uint number)
    {
        NetlinkWriter request = Connection.Begin("ovs_vport", Delete, ifindex);
        request.PutOvsVportPortNumber(number);
        return Connection.Transact(ref request, out _);
    }

    /// <summary>Lists how the devices of a datapath's ports are driven.</summary>
    public Errno ListDrivers(int ifindex, out List<DriverEntry> drivers)
    {
        List<DriverEntry> found = [];
        NetlinkWriter request = Connection.Begin(EngineFamily.Name, EngineFamily.GetPorts, ifindex);
        Errno errno = Connection.Dump(ref request, message => found.Add(ReadDriver(message)));
        drivers = found;
        return errno;
    }

    /// <summary>Lists the workers.</summary>
    public Errno ListWorkers(out List<WorkerEntry> workers)
    {
        List<WorkerEntry> found = [];
        NetlinkWriter request = Connection.Begin(EngineFamily.Name, EngineFamily.GetWorkers);
        Errno errno = Connection.Dump(ref request, message => found.Add(ReadWorker(message)));
        workers = found;
        return errno;
    }

    /// <summary>Lists the flows of a datapath.</summary>
    /// <param name="ifindex">The datapath.</param>
    /// <param name="each">Gets each flow; the memory is the caller's.</param>
    public Errno DumpFlows(int ifindex, Action<FlowEntry> each)
    {
        NetlinkWriter request = Connection.Begin("ovs_flow", Get, ifindex);
        return Connection.Dump(ref request, message => each(ReadFlow(message)));
    }

    /// <summary>Finds a flow by its UFID.</summary>
    public Errno FindFlow(int ifindex, Ufid ufid, out FlowEntry? flow)
    {
        NetlinkWriter request = Connection.Begin("ovs_flow", Get, ifindex);
        PutUfid(ref request, ufid);
        Errno errno = Connection.Transact(ref request, out ReadOnlyMemory<byte> reply);
        flow = errno == Errno.None ? ReadFlow(reply.Span) : null;
        return errno;
    }

    /// <summary>Adds a flow or changes one.</summary>
    /// <param name="ifindex">The datapath.</param>
    /// <param name="flow">UFID, key, mask and actions. An empty mask is left out: everything is exact.</param>
    /// <param name="mode">What to do when it is there, and when it is not.</param>
    /// <param name="clears">Whether its statistics start anew.</param>
    /// <param name="stored">What the server has now; null when refused.</param>
    public Errno PutFlow(int ifindex, FlowEntry flow, FlowEdit mode, bool clears, out FlowEntry? stored)
    {
        ArgumentNullException.ThrowIfNull(flow);
        NetlinkWriter request = Connection.Begin("ovs_flow", mode == FlowEdit.Modify ? Set : New, ifindex);
        PutUfid(ref request, flow.Ufid);
        PutKey(ref request, flow);
        request.Put((int)OvsFlowAttribute.Actions | NetlinkAttribute.NestedFlag, flow.Actions.Span);
        if (clears)
        {
            request.PutOvsFlowClear();
        }

        Errno errno = Connection.Transact(ref request, out ReadOnlyMemory<byte> reply, mode == FlowEdit.Create ? NetlinkFlags.Create : (ushort)0);
        stored = errno == Errno.None && !reply.IsEmpty ? ReadFlow(reply.Span) : null;
        return errno;
    }

    /// <summary>Removes a flow by its UFID, or by its key when it has none.</summary>
    /// <param name="ifindex">The datapath.</param>
    /// <param name="flow">UFID and key.</param>
    /// <param name="removed">What it was; null when refused.</param>
    public Errno DeleteFlow(int ifindex, FlowEntry flow, out FlowEntry? removed)
    {
        ArgumentNullException.ThrowIfNull(flow);
        NetlinkWriter request = Connection.Begin("ovs_flow", Delete, ifindex);
        PutUfid(ref request, flow.Ufid);
        PutKey(ref request, flow with { Mask = default });
        Errno errno = Connection.Transact(ref request, out ReadOnlyMemory<byte> reply);
        removed = errno == Errno.None && !reply.IsEmpty ? ReadFlow(reply.Span) : null;
        return errno;
    }

    /// <summary>Removes all flows of a datapath.</summary>
    public Errno FlushFlows(int ifindex)
    {
        NetlinkWriter request = Connection.Begin("ovs_flow", Delete, ifindex);
        return Connection.Transact(ref request, out _);
    }

    // How a netdev is to be driven, where that is said.
    private static void PutOptions(ref NetlinkWriter request, VportOptions wish)
    {
        if (ReferenceEquals(wish, VportOptions.Default))
        {
            return;
        }

        int options = request.BeginOvsVportOptions();
        request.PutEngineVportDriver((uint)wish.Driver);
        request.PutEngineVportRingCount((uint)wish.RingCount);
        request.PutEngineVportWorkers(MemoryMarshal.AsBytes(wish.Workers.AsSpan()));
        request.EndNested(options);
    }

    private static void PutUfid(ref NetlinkWriter request, Ufid ufid)
    {
        if (ufid.IsPresent)
        {
            Span<byte> bytes = stackalloc byte[Ufid.MaximumLength];
            ufid.CopyTo(bytes);
            request.PutOvsFlowUfid(bytes[..ufid.Length]);
        }
    }

    private static void PutKey(ref NetlinkWriter request, FlowEntry flow)
    {
        if (!flow.Key.IsEmpty)
        {
            request.Put((int)OvsFlowAttribute.Key | NetlinkAttribute.NestedFlag, flow.Key.Span);
        }

        if (!flow.Mask.IsEmpty)
        {
            request.Put((int)OvsFlowAttribute.Mask | NetlinkAttribute.NestedFlag, flow.Mask.Span);
        }
    }

    private static DatapathEntry ReadDatapath(ReadOnlySpan<byte> message)
    {
        ExtendedAck ignored = default;
        _ = OvsDatapathAttributes.TryParse(message[AttributesOffset..], AttributesOffset, ref ignored, out OvsDatapathAttributes attributes);

        // struct ovs_dp_stats and struct ovs_dp_megaflow_stats, four words each.
        Span<ulong> words = stackalloc ulong[8];
        words.Clear();
        attributes.Stats[..Math.Min(attributes.Stats.Length, 32)].CopyTo(MemoryMarshal.AsBytes(words));
        attributes.MegaflowStats[..Math.Min(attributes.MegaflowStats.Length, 32)].CopyTo(MemoryMarshal.AsBytes(words[4..]));
        return new DatapathEntry(Encoding.UTF8.GetString(attributes.Name), MemoryMarshal.Read<int>(message[FamilyHeaders..]))
        {
            Hit = words[0],
            Missed = words[1],
            Lost = words[2],
            Flows = words[3],
            MaskHit = words[4],
            Masks = (uint)words[5],
            CacheHit = words[6],
            MasksCacheSize = attributes.HasMasksCacheSize ? attributes.MasksCacheSize : null,
            Features = attributes.UserFeatures,
        };
    }

    private static VportEntry ReadVport(ReadOnlySpan<byte> message)
    {
        ExtendedAck ignored = default;
        _ = OvsVportAttributes.TryParse(message[AttributesOffset..], AttributesOffset, ref ignored, out OvsVportAttributes attributes);
        VportStats stats = attributes.HasStats ? MemoryMarshal.Read<VportStats>(attributes.Stats) : default;
        ushort destination = 0;
        bool hasGroupPolicy = false;
        foreach (NetlinkAttribute option in new NetlinkAttributes(attributes.Options))
        {
            if (option.Type == (int)OvsTunnelAttribute.DestinationPort)
            {
                destination = option.Read<ushort>();
            }

            hasGroupPolicy |= option.Type == (int)OvsTunnelAttribute.Extension;
        }

        return new VportEntry(attributes.PortNumber, Encoding.UTF8.GetString(attributes.Name), (VportType)attributes.Type, stats)
        {
            DestinationPort = destination,
            HasGroupPolicy = hasGroupPolicy,
        };
    }

    private static DriverEntry ReadDriver(ReadOnlySpan<byte> message)
    {
        ExtendedAck ignored = default;
        _ = EngineAttributes.TryParse(message[AttributesOffset..], AttributesOffset, ref ignored, out EngineAttributes attributes);
        return new DriverEntry(
            attributes.PortNumber,
            Encoding.UTF8.GetString(attributes.Driver),
            attributes.HasReason ? Encoding.UTF8.GetString(attributes.Reason) : null);
    }

    private static WorkerEntry ReadWorker(ReadOnlySpan<byte> message)
    {
        ExtendedAck ignored = default;
        _ = EngineAttributes.TryParse(message[AttributesOffset..], AttributesOffset, ref ignored, out EngineAttributes attributes);
        return new WorkerEntry(
            attributes.Worker,
            attributes.HasCore ? attributes.Core : null,
            attributes.RingCount,
            attributes.BusyCycles,
            attributes.IdleCycles,
            attributes.Rounds,
            attributes.Sleeps,
            attributes.Batches,
            attributes.Packets,
            attributes.Misses,
            attributes.Upcalls,
            attributes.LongestRoundNs,
            attributes.UsualRoundNs);
    }

    private static FlowEntry ReadFlow(ReadOnlySpan<byte> message)
    {
        ExtendedAck ignored = default;
        _ = OvsFlowAttributes.TryParse(message[AttributesOffset..], AttributesOffset, ref ignored, out OvsFlowAttributes attributes);
        FlowStats stats = new() { UsedAtMs = (long)attributes.Used, TcpFlags = attributes.TcpFlags };
        if (attributes.HasStats)
        {
            // struct ovs_flow_stats: n_packets, n_bytes.
            stats.Packets = MemoryMarshal.Read<ulong>(attributes.Stats);
            stats.Bytes = MemoryMarshal.Read<ulong>(attributes.Stats[sizeof(ulong)..]);
        }

        return new FlowEntry(
            attributes.HasUfid ? Ufid.FromBytes(attributes.Ufid) : default,
            attributes.Key.ToArray(),
            attributes.Mask.ToArray(),
            attributes.Actions.ToArray(),
            stats);
    }
}
