using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Engine.Actions;
using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Tests.Golden;
using Engine.Vports;

namespace Engine.Tests.Conformance;

/// <summary>Sends what ovs-dpctl and ovs-vswitchd sent to the kernel to a server in memory, in the recorded order, and says where it answers otherwise.</summary>
/// <remarks>
/// The commands were recorded in one namespace, one after the other, and some are not in the file. What those must have done is seen from the
/// first answers of the next one, and made up for: ports and datapaths by <see cref="Prepare"/>, flows and packets by <see cref="DpctlGaps"/>.
/// </remarks>
internal sealed class DpctlPlayer : IDisposable
{
    private const ushort FirstFamily = 32, DatapathFamily = FirstFamily, VportFamily = FirstFamily + 1, FlowFamily = FirstFamily + 2, PacketFamily = FirstFamily + 3;
    private const byte New = 1, Delete = 2, Get = 3, ExecuteCommand = 3;
    private const int HeadersLength = 24;
    private const uint Groups = 9;

    private readonly MemoryNetwork _network = new();
    private readonly MemoryClient _asking = new(1) { WantsExtendedAcks = false };
    private readonly MemoryClient _listening = new(2);
    private readonly Dictionary<uint, MemoryClient> _upcalls = [];
    private readonly ControlServer _server;

    public DpctlPlayer()
    {
        // As the recorder's: something of index 2, then p1 4, p2 6, d1 7.
        _network.Run("ip link add other type dummy");
        _network.Run("ip link add p1 type veth peer name p1x");
        _network.Run("ip link add p2 type veth peer name p2x");
        _network.Run("ip link add d1 type dummy");
        _server = new ControlServer(_network, new ControlServerOptions
        {
            FirstFamilyId = FirstFamily,
            FirstGroup = Groups,
            ProcessorCount = 8,
            Actions = ActionFeatures.Linux61,
            Datapath = new DatapathOptions { FrameCount = 128, CacheEntries = 0, UpcallCapacity = 64 },
        });
        _server.TryAdd(_asking);
    }

    /// <summary>Packets that have found a flow in the datapath there is.</summary>
    public ulong Hits => _server.CurrentDatapaths is [{ } datapath, ..] ? datapath.Datapath.ReadStats().Hit : 0;

    /// <summary>The packet of the last upcall.</summary>
    public byte[] LastMissed { get; private set; } = [];

    /// <summary>Plays what one command sent, after what was done before it and is not in the file.</summary>
    /// <returns>What differs, a line each; empty when nothing does.</returns>
    public List<string> Play(DpctlVector vector, DpctlGaps gaps)
    {
        Prepare(vector);
        gaps.Fill(this, vector);
        List<string> differences = [];
        for (int i = 0; i < vector.Messages.Length; i++)
        {
            GoldenMessage message = vector.Messages[i];
            if (message.Dir == "request")
            {
                // Sockets that were closed in between used the same numbers.
                GoldenMessage[] answers = [.. vector.Messages.Skip(i + 1)
                    .TakeWhile(next => next.Dir != "request" || !IsAnswer(next.Raw, message.Raw))
                    .Where(next => next.Dir != "request" && IsAnswer(next.Raw, message.Raw))];
                MakeTunnelDevice(answers);
                _server.Handle(_asking, TypeOf(message.Raw) == PacketFamily ? WithoutConntrack(message.Raw) : message.Raw);
                AddClients();
                Compare(message.Raw, answers, differences);
            }
            else if (TypeOf(message.Raw) == PacketFamily)
            {
                LastMissed = AttributeOf(message.Raw, (int)OvsPacketAttribute.Packet).ToArray();
                Inject("p1x", LastMissed);
                Compare(message.Raw, [message], differences);
            }
        }

        return differences;
    }

    /// <summary>Lets a frame arrive at the device whose peer this is.</summary>
    public void Inject(string peer, ReadOnlySpan<byte> frame)
    {
        _network.CountArrival(peer, frame);
        string port = _network.PeerOf(peer);
        foreach (ControlledDatapath datapath in _server.CurrentDatapaths)
        {
            if (datapath.Datapath.Vports.Find(port) is { } vport)
            {
                Assert.True(_network.DriverBehind(peer)!.TryPut(frame));
                datapath.Datapath.Workers[0].Poll(vport);
            }
        }
    }

    /// <summary>Sends a packet out as ovs-vswitchd does with one that missed.</summary>
    public void Execute(ReadOnlySpan<byte> packet, uint output)
    {
        byte[] bytes = packet.ToArray();
        Do(PacketFamily, ExecuteCommand, (ref writer) =>
        {
            writer.PutOvsPacketPacket(bytes);
            int key = writer.BeginOvsPacketKey();
            writer.EndNested(key);
            int actions = writer.BeginNested((int)OvsPacketAttribute.Actions);
            writer.Put((int)OvsActionAttribute.Output, output);
            writer.EndNested(actions);
        });
    }

    /// <summary>Adds a flow that a command which is not in the file added.</summary>
    public void AddFlow(ReadOnlySpan<byte> ufid, ReadOnlySpan<byte> key, ReadOnlySpan<byte> mask, ReadOnlySpan<byte> actions)
    {
        byte[][] parts = [ufid.ToArray(), key.ToArray(), mask.ToArray(), actions.ToArray()];
        Do(FlowFamily, New, (ref writer) =>
        {
            if (parts[0].Length != 0)
            {
                writer.PutOvsFlowUfid(parts[0]);
            }

            writer.Put((int)OvsFlowAttribute.Key, parts[1]);
            writer.Put((int)OvsFlowAttribute.Mask, parts[2]);
            writer.Put((int)OvsFlowAttribute.Actions, parts[3]);
        });
    }

    /// <summary>Removes a flow that a command which is not in the file removed.</summary>
    public void RemoveFlow(ReadOnlySpan<byte> ufid, ReadOnlySpan<byte> key)
    {
        byte[][] parts = [ufid.ToArray(), key.ToArray()];
        Do(FlowFamily, Delete, (ref writer) =>
        {
            if (parts[0].Length != 0)
            {
                writer.PutOvsFlowUfid(parts[0]);
            }
            else
            {
                writer.Put((int)OvsFlowAttribute.Key, parts[1]);
            }
        });
    }

    /// <summary>Takes what upcalls and notifications are waiting, so that they are not taken for those of the next request.</summary>
    public void Forget()
    {
        _listening.TakeMessages();
        foreach (MemoryClient client in _upcalls.Values)
        {
            client.TakeMessages();
        }
    }

    /// <summary>The number of packets that the device of this name has lost on the way out, as the host's own driver counts them.</summary>
    public void SetTransmitErrors(string device, ulong count) => _network.SetTransmitErrors(device, count);

    public void Dispose() => _server.Dispose();

    /// <summary>An attribute of a recorded message; empty when it has none of this number.</summary>
    public static ReadOnlySpan<byte> AttributeOf(ReadOnlySpan<byte> message, int type)
    {
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(message[HeadersLength..]))
        {
            if (attribute.Type == type)
            {
                return attribute.Payload;
            }
        }

        return default;
    }

    /// <summary>Makes the datapath and the ports that the first answers tell of, and takes away those that are gone.</summary>
    private void Prepare(DpctlVector vector)
    {
        // ovs-vswitchd listens for ports, which ovs-dpctl does not.
        if (vector.Name.StartsWith("vswitchd", StringComparison.Ordinal) && _server.TryAdd(_listening))
        {
            _listening.Join(Groups + 1);
        }

        HashSet<string> ports = [];
        bool isWhole = false;
        foreach (GoldenMessage message in vector.Messages)
        {
            byte command = message.Raw.Length > 16 ? message.Raw[16] : (byte)0;
            ushort type = TypeOf(message.Raw);
            if (message.Dir == "request")
            {
                if (type is DatapathFamily or VportFamily && command is New or Delete)
                {
                    break;
                }
            }
            else if (type == DatapathFamily)
            {
                EnsureDatapath(message.Raw);
            }
            else if (type == VportFamily && command == Get)
            {
                EnsurePort(message.Raw);
                ports.Add(NameOf(message.Raw, (int)OvsVportAttribute.Name));
                isWhole |= (MemoryMarshal.Read<ushort>(message.Raw.AsSpan(6)) & NetlinkFlags.Multi) != 0;
            }
            else if (type == NetlinkHeader.ErrorType && TypeOf(message.Raw.AsSpan(20)) == DatapathFamily && message.Raw[36] == Get)
            {
                Do(DatapathFamily, Delete, static (ref _) => { });
            }
        }

        foreach (ControlledDatapath datapath in _server.CurrentDatapaths)
        {
            foreach (ControlledVport port in isWhole ? datapath.ListPorts().Where(port => !ports.Contains(port.Device.Name)) : [])
            {
                Do(VportFamily, Delete, (ref writer) => writer.PutOvsVportPortNumber(port.Vport.Number));
            }
        }

        Forget();
    }

    // Programs make the devices of tunnels by rtnetlink before they add them.
    private void MakeTunnelDevice(GoldenMessage[] answers)
    {
        if (answers is [{ Raw: { Length: > HeadersLength } told }, ..] && TypeOf(told) == VportFamily && told[16] == New)
        {
            EnsureNetdev(told);
        }
    }

    private void EnsureDatapath(byte[] told)
    {
        if (!_server.CurrentDatapaths.IsEmpty)
        {
            return;
        }

        const uint UpcallsTo = 3;
        string name = NameOf(told, (int)OvsDatapathAttribute.Name);
        byte[] portIds = AttributeOf(told, (int)OvsDatapathAttribute.PerProcessorPortIds).ToArray();
        MemoryMarshal.Cast<byte, uint>(portIds.AsSpan()).Fill(UpcallsTo);
        uint features = MemoryMarshal.Read<uint>(AttributeOf(told, (int)OvsDatapathAttribute.UserFeatures));
        int index = MemoryMarshal.Read<int>(told.AsSpan(20));
        Do(DatapathFamily, New, (ref writer) =>
        {
            writer.PutOvsDatapathName(name);
            writer.PutOvsDatapathUpcallPortId(0);
            writer.PutOvsDatapathUserFeatures(features);
            writer.PutOvsDatapathIfindex(index);
            if (portIds.Length != 0)
            {
                writer.PutOvsDatapathPerProcessorPortIds(portIds);
            }
        });
    }

    private void EnsurePort(byte[] told)
    {
        uint number = MemoryMarshal.Read<uint>(AttributeOf(told, (int)OvsVportAttribute.PortNumber));
        if (_server.CurrentDatapaths.IsEmpty || _server.CurrentDatapaths[0].Find(number) is not null)
        {
            return;
        }

        string name = NameOf(told, (int)OvsVportAttribute.Name);
        uint type = MemoryMarshal.Read<uint>(AttributeOf(told, (int)OvsVportAttribute.Type));
        int index = MemoryMarshal.Read<int>(AttributeOf(told, (int)OvsVportAttribute.Ifindex));
        bool isInternal = type == (uint)VportType.Internal;
        EnsureNetdev(told);
        Do(VportFamily, New, (ref writer) =>
        {
            writer.PutOvsVportPortNumber(number);
            writer.PutOvsVportType(type);
            writer.PutOvsVportName(name);
            writer.PutOvsVportUpcallPortIds(new byte[4]);
            if (isInternal)
            {
                writer.PutOvsVportIfindex(index);
            }
        });
    }

    private void EnsureNetdev(ReadOnlySpan<byte> told)
    {
        if (MemoryMarshal.Read<uint>(AttributeOf(told, (int)OvsVportAttribute.Type)) == (uint)VportType.Netdev)
        {
            _network.Ensure(NameOf(told, (int)OvsVportAttribute.Name), MemoryMarshal.Read<int>(AttributeOf(told, (int)OvsVportAttribute.Ifindex)));
        }
    }

    // A request of our own, which has to succeed.
    private void Do(ushort family, byte command, PutAttributes put)
    {
        int index = _server.CurrentDatapaths.IsEmpty ? 0 : _server.CurrentDatapaths[0].Ifindex;
        if (index == 0 && command == Delete)
        {
            return;
        }

        MemoryClient own = new(4) { WantsShortErrors = true };
        _server.TryAdd(own);
        byte[] buffer = new byte[16384];
        NetlinkWriter writer = new(buffer);
        int start = writer.BeginMessage(new NetlinkHeader { Type = family, Flags = NetlinkFlags.Request | NetlinkFlags.Ack, Sequence = 1 });
        writer.PutRaw([command, family == DatapathFamily ? (byte)2 : (byte)1, 0, 0]);
        writer.PutRaw(BitConverter.GetBytes(index));
        put(ref writer);
        writer.EndMessage(start);
        _server.Handle(own, writer.Written);
        _server.Remove(own);
        int result = BitConverter.ToInt32(own.TakeMessages().Single(), 16);
        Assert.True(result == 0, $"made up for: family {family} command {command}: {result}");
        AddClients();
        Forget();
    }

    // Port ids that were sockets of the recorded programs are clients here.
    private void AddClients()
    {
        foreach (ControlledDatapath datapath in _server.CurrentDatapaths)
        {
            foreach (uint portId in datapath.PortIds)
            {
                if (portId != 0 && !_upcalls.ContainsKey(portId))
                {
                    _upcalls.Add(portId, new MemoryClient(portId));
                    _server.TryAdd(_upcalls[portId]);
                }
            }
        }
    }

    private void Compare(byte[] request, GoldenMessage[] expected, List<string> differences)
    {
        List<byte[]> actual = _asking.TakeMessages();
        while (_asking.IsDumping)
        {
            _server.Continue(_asking);
            actual.AddRange(_asking.TakeMessages());
        }

        actual.AddRange(_listening.TakeMessages());
        foreach (MemoryClient client in _upcalls.Values)
        {
            actual.AddRange(client.TakeMessages());
        }

        foreach (GoldenMessage wanted in expected.Where(static message => IsOurs(message.Raw)))
        {
            VolatileRange[] ranges = [.. wanted.Volatile ?? [], .. MaskHitsOf(wanted.Raw)];
            int found = actual.FindIndex(message => message.Length == wanted.Raw.Length
                && VolatileRange.Blank(wanted.Raw, ranges).AsSpan().SequenceEqual(VolatileRange.Blank(message, ranges)));
            if (found >= 0)
            {
                actual.RemoveAt(found);
                continue;
            }

            differences.Add(string.Create(CultureInfo.InvariantCulture, $"to {Convert.ToHexStringLower(request)}\n  wanted {Convert.ToHexStringLower(wanted.Raw)}"));
            differences.AddRange(actual.Take(1).Select(static message => "  got    " + Convert.ToHexStringLower(message)));
            actual.RemoveRange(0, Math.Min(1, actual.Count));
        }

        differences.AddRange(actual.Select(extra => $"to {Convert.ToHexStringLower(request)}\n  unexpected {Convert.ToHexStringLower(extra)}"));
    }

    // Until connections are tracked, a packet is sent through the other actions only: what they do is compared all the same.
    private static byte[] WithoutConntrack(byte[] request)
    {
        if (new ControlServerOptions().Actions.Conntrack)
        {
            return request;
        }

        byte[] buffer = new byte[request.Length];
        NetlinkWriter writer = new(buffer);
        int message = writer.BeginMessage(MemoryMarshal.Read<NetlinkHeader>(request));
        writer.PutRaw(request.AsSpan(16, HeadersLength - 16));
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(request.AsSpan(HeadersLength)))
        {
            if (attribute.Type != (int)OvsPacketAttribute.Actions)
            {
                writer.Put(attribute.Type, attribute.Payload);
                continue;
            }

            int actions = writer.BeginNested(attribute.Type);
            foreach (NetlinkAttribute action in new NetlinkAttributes(attribute.Payload))
            {
                if (action.Type != (int)OvsActionAttribute.Conntrack)
                {
                    writer.Put(action.Type, action.Payload);
                }
            }

            writer.EndNested(actions);
        }

        writer.EndMessage(message);
        return writer.Written.ToArray();
    }

    // Every four seconds the kernel puts the masks that are hit most first, so how many it tries depends on when it was asked.
    private static IEnumerable<VolatileRange> MaskHitsOf(byte[] message)
    {
        if (TypeOf(message) == DatapathFamily)
        {
            int at = message.AsSpan().IndexOf((ReadOnlySpan<byte>)[36, 0, (byte)OvsDatapathAttribute.MegaflowStats, 0]);
            yield return new VolatileRange(at + NetlinkAttribute.HeaderSize, sizeof(ulong), "n_mask_hit");
        }
    }

    // A dump of families tells of the whole kernel's; the other ones are the host's here, and not in a server of memory.
    private static bool IsOurs(ReadOnlySpan<byte> message)
    {
        const int FamilyName = 2, ControllerHeaders = 20;
        if (TypeOf(message) != 16)
        {
            return true;
        }

        foreach (NetlinkAttribute attribute in new NetlinkAttributes(message[ControllerHeaders..]))
        {
            if (attribute.Type == FamilyName)
            {
                return attribute.Payload.StartsWith("ovs_"u8) || attribute.Payload.StartsWith("nlctrl"u8);
            }
        }

        return true;
    }

    // Sequence number and port id, where the program has said its own; upcalls have neither.
    private static bool IsAnswer(ReadOnlySpan<byte> answer, ReadOnlySpan<byte> request) =>
        answer[8..12].SequenceEqual(request[8..12])
        && (answer[12..16].SequenceEqual(request[12..16]) || (MemoryMarshal.Read<uint>(request[12..]) == 0 && TypeOf(answer) != PacketFamily));

    private static ushort TypeOf(ReadOnlySpan<byte> message) => MemoryMarshal.Read<ushort>(message[4..]);

    private static string NameOf(ReadOnlySpan<byte> message, int type) => Encoding.UTF8.GetString(AttributeOf(message, type)).TrimEnd('\0');

    private delegate void PutAttributes(ref NetlinkWriter writer);
}
