using System.Buffers.Binary;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Tests.Oracles;

/// <summary>The datapath's slow twin: one packet at a time, no cache, no batch, no program: flows in a list, actions read from their attributes.</summary>
/// <remarks>
/// <para>For frames with right checksums: every edit computes them anew over the whole header or segment, where the datapath updates them.
/// It knows the actions in <see cref="Run"/> and throws on others.</para>
/// <para>After every edit the key is extracted again; the datapath keeps it up to date instead. One thread.</para>
/// </remarks>
internal sealed class ByteDatapath
{
    private const int RecirculationLimit = 64;

    private readonly LinearClassifier<Entry> _flows = new();
    private readonly SortedDictionary<uint, List<byte[]>> _sent = [];

    /// <summary>What each port sent, in order.</summary>
    public IReadOnlyDictionary<uint, List<byte[]>> Sent => _sent;

    /// <summary>Packets that no flow matched.</summary>
    public int Missed { get; private set; }

    /// <summary>Packets and bytes that each flow matched, in the order the flows were added.</summary>
    public List<(string Name, ulong Packets, ulong Bytes)> Counters => [.. Entries.Select(entry => (entry.Name, entry.Packets, entry.Bytes))];

    private List<Entry> Entries { get; } = [];

    /// <summary>Adds a flow.</summary>
    public void Add(string name, in FlowKey key, in FlowKey mask, ReadOnlySpan<byte> actions)
    {
        Entry entry = new(name, actions.ToArray());
        Entries.Add(entry);
        _flows.Set(in key, in mask, entry);
    }

    /// <summary>A frame arrives on a port.</summary>
    public void Receive(uint inPort, ReadOnlySpan<byte> bytes)
    {
        FlowKeyExtractorTwin extraction = FlowKeyExtractorTwin.Receive(bytes, udpSegmentation: false, inPort);
        if (extraction.Succeeded)
        {
            LookUp(new Frame(bytes.ToArray()) { Network = extraction.NetworkOffset }, extraction.Key, depth: 0);
        }
    }

    private void LookUp(Frame frame, in FlowKey key, int depth)
    {
        Assert.InRange(depth, 0, RecirculationLimit);
        if (!_flows.TryFind(in key, out Entry? entry))
        {
            Missed++;
            return;
        }

        entry.Packets++;
        entry.Bytes += (uint)frame.Bytes.Length;
        FlowKey own = key;
        Run(frame, ref own, entry.Actions, depth);
    }

    // Whoever calls keeps no use of the frame but to run further actions on it.
    private void Run(Frame frame, ref FlowKey key, ReadOnlySpan<byte> actions, int depth)
    {
        foreach (NetlinkAttribute action in new NetlinkAttributes(actions))
        {
            ReadOnlySpan<byte> payload = action.Payload;
            switch ((OvsActionAttribute)action.Type)
            {
                case OvsActionAttribute.Output:
                    Output(frame, action.Read<uint>());
                    continue;
                case OvsActionAttribute.Truncate:
                    // One that cuts nothing leaves an earlier one in force.
                    int cut = frame.LengthWithoutOuterTag - (int)action.Read<uint>();
                    frame.Cut = cut > 0 ? cut : frame.Cut;
                    continue;
                case OvsActionAttribute.Recirculate:
                    FlowKeyExtractorTwin extraction = Extract(frame, in key);
                    FlowKey again = extraction.Key;
                    again.RecirculationId = action.Read<uint>();
                    Frame copy = frame.Clone();
                    copy.Network = extraction.NetworkOffset;
                    LookUp(copy, in again, depth + 1);
                    continue;
                case OvsActionAttribute.Clone:
                    FlowKey cloned = key;
                    Run(frame.Clone(), ref cloned, payload, depth);
                    continue;
                case OvsActionAttribute.CheckPacketLength:
                    CheckLength(frame, in key, payload, depth);
                    continue;
                case OvsActionAttribute.PushVlan:
                    // The CFI bit only says that there is a tag.
                    frame.Insert(12, [payload[0], payload[1], (byte)(payload[2] & 0xef), payload[3]]);
                    frame.Network += 4;
                    break;
                case OvsActionAttribute.PopVlan:
                    if (frame.HasOuterTag)
                    {
                        frame.Remove(12, 4);
                        frame.Network -= 4;
                    }

                    break;
                case OvsActionAttribute.PushMpls:
                    frame.Insert(frame.Network, payload[..4]);
                    payload.Slice(4, 2).CopyTo(frame.Bytes.AsSpan(12));
                    break;
                case OvsActionAttribute.PopMpls:
                    frame.Remove(frame.Network, 4);
                    payload[..2].CopyTo(frame.Bytes.AsSpan(frame.Network - 2));
                    break;
                case OvsActionAttribute.Set:
                    Set(frame, in key, payload, isMasked: false);
                    break;
                case OvsActionAttribute.SetMasked:
                    Set(frame, in key, payload, isMasked: true);
                    break;
                default:
                    throw new ArgumentException($"The oracle does not know action {(OvsActionAttribute)action.Type}.");
            }

            key = Extract(frame, in key).Key;
        }
    }

    private void CheckLength(Frame frame, in FlowKey key, ReadOnlySpan<byte> payload, int depth)
    {
        const int LengthAttribute = 1, GreaterAttribute = 2, LessEqualAttribute = 3;
        int limit = 0;
        foreach (NetlinkAttribute part in new NetlinkAttributes(payload))
        {
            limit = part.Type == LengthAttribute ? part.Read<ushort>() : limit;
        }

        int chosen = frame.LengthWithoutOuterTag <= limit ? LessEqualAttribute : GreaterAttribute;
        foreach (NetlinkAttribute part in new NetlinkAttributes(payload))
        {
            if (part.Type == chosen)
            {
                FlowKey own = key;
                Run(frame.Clone(), ref own, part.Payload, depth);
            }
        }
    }

    private void Output(Frame frame, uint port)
    {
        if (!_sent.TryGetValue(port, out List<byte[]>? sent))
        {
            _sent.Add(port, sent = []);
        }

        int tag = frame.HasOuterTag ? 4 : 0;
        int length = Math.Max(14, frame.LengthWithoutOuterTag - frame.Cut) + tag;
        sent.Add(frame.Bytes[..Math.Min(length, frame.Bytes.Length)]);
        frame.Cut = 0;
    }

    private static void Set(Frame frame, in FlowKey key, ReadOnlySpan<byte> payload, bool isMasked)
    {
        NetlinkAttributes parts = new(payload);
        Assert.True(parts.MoveNext());
        NetlinkAttribute part = parts.Current;
        ReadOnlySpan<byte> value = part.Payload, mask = default;
        if (isMasked)
        {
            mask = value[(value.Length / 2)..];
            value = value[..(value.Length / 2)];
        }

        FlowKeyExtractorTwin extraction = Extract(frame, in key);
        Span<byte> bytes = frame.Bytes;
        int network = frame.Network;
        int transport = key.IpFragment == 2 ? -1 : extraction.TransportOffset ?? -1;
        switch ((OvsKeyAttribute)part.Type)
        {
            case OvsKeyAttribute.Ethernet: // Source, destination; on the wire the other way round.
                Blend(bytes[6..], value[..6], mask, 0);
                Blend(bytes, value[6..12], mask, 6);
                break;
            case OvsKeyAttribute.Ipv4: // Source, destination, protocol, TOS, TTL, fragment.
                Blend(bytes[(network + 12)..], value[..4], mask, 0);
                Blend(bytes[(network + 16)..], value[4..8], mask, 4);
                Blend(bytes[(network + 1)..], value[9..10], mask, 9);
                Blend(bytes[(network + 8)..], value[10..11], mask, 10);
                break;
            case OvsKeyAttribute.Ipv6: // Source, destination, label, protocol, class, hop limit, fragment.
                Blend(bytes[(network + 8)..], value[..16], mask, 0);
                Blend(bytes[(network + 24)..], value[16..32], mask, 16);
                uint first = BinaryPrimitives.ReadUInt32BigEndian(bytes[network..]);
                uint label = BinaryPrimitives.ReadUInt32BigEndian(value[32..]), labelMask = isMasked ? BinaryPrimitives.ReadUInt32BigEndian(mask[32..]) : 0xfffff;
                uint trafficClass = value[37], classMask = isMasked ? mask[37] : 0xffu;
                first = (first & ~labelMask) | (label & labelMask);
                first = (first & ~(classMask << 20)) | ((trafficClass & classMask) << 20);
                BinaryPrimitives.WriteUInt32BigEndian(bytes[network..], first);
                Blend(bytes[(network + 7)..], value[38..39], mask, 38);
                break;
            case OvsKeyAttribute.Tcp or OvsKeyAttribute.Udp or OvsKeyAttribute.Sctp:
                Blend(bytes[transport..], value[..4], mask, 0);
                break;
            case OvsKeyAttribute.Mpls:
                Blend(bytes[network..], value[..4], mask, 0);
                break;
            default:
                throw new ArgumentException($"The oracle cannot set {(OvsKeyAttribute)part.Type}.");
        }

        SetChecksums(bytes, network, transport, in key);
    }

    private static FlowKeyExtractorTwin Extract(Frame frame, in FlowKey metadata)
    {
        FlowKeyExtractorTwin extraction = FlowKeyExtractorTwin.Extract(frame.Bytes, udpSegmentation: false, in metadata);
        Assert.True(extraction.Succeeded);
        return extraction;
    }

    private static void Blend(Span<byte> target, ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask, int maskOffset)
    {
        for (int i = 0; i < value.Length; i++)
        {
            byte bits = mask.IsEmpty ? (byte)0xff : mask[maskOffset + i];
            target[i] = (byte)((target[i] & ~bits) | (value[i] & bits));
        }
    }

    private static void SetChecksums(Span<byte> bytes, int network, int transport, in FlowKey key)
    {
        bool isIpv4 = key.EtherType.Value == 0x0800;
        if (isIpv4)
        {
            Span<byte> header = bytes.Slice(network, (bytes[network] & 15) * 4);
            header.Slice(10, 2).Clear();
            BinaryPrimitives.WriteUInt16BigEndian(header[10..], ByteChecksum.Of(header));
        }

        if (transport < 0)
        {
            return;
        }

        Span<byte> segment = bytes[transport..];
        ReadOnlySpan<byte> addresses = isIpv4 ? bytes.Slice(network + 12, 8) : bytes.Slice(network + 8, 32);
        int field = key.IpProtocol switch
        {
            6 => 16,
            17 => 6,
            58 when !isIpv4 => 2,
            _ => -1,
        };
        if (key.IpProtocol == 132)
        {
            segment.Slice(8, 4).Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(segment[8..], ByteCrc32C.Of(segment));
        }
        else if (field >= 0 && !(key.IpProtocol == 17 && segment[6] == 0 && segment[7] == 0))
        {
            segment.Slice(field, 2).Clear();
            ushort checksum = ByteChecksum.Of(segment, ByteChecksum.PseudoHeader(addresses, key.IpProtocol, segment.Length));
            BinaryPrimitives.WriteUInt16BigEndian(segment[field..], key.IpProtocol == 17 && checksum == 0 ? (ushort)0xffff : checksum);
        }
    }

    private sealed class Entry(string name, byte[] actions)
    {
        public string Name => name;

        public byte[] Actions => actions;

        public ulong Packets { get; set; }

        public ulong Bytes { get; set; }
    }

    private sealed class Frame(byte[] bytes)
    {
        public byte[] Bytes { get; private set; } = bytes;

        /// <summary>Bytes left out by the next output.</summary>
        public int Cut { get; set; }

        /// <summary>Where the network header starts; a push or pop of MPLS does not move it.</summary>
        public int Network { get; set; }

        public bool HasOuterTag =>
            Bytes.Length >= 18 && BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(12)) is 0x8100 or 0x88a8;

        // The kernel keeps the outermost tag beside the packet.
        public int LengthWithoutOuterTag => Bytes.Length - (HasOuterTag ? 4 : 0);

        public Frame Clone() => new([.. Bytes]) { Cut = Cut, Network = Network };

        public void Insert(int offset, ReadOnlySpan<byte> inserted) => Bytes = [.. Bytes[..offset], .. inserted, .. Bytes[offset..]];

        public void Remove(int offset, int count) => Bytes = [.. Bytes[..offset], .. Bytes[(offset + count)..]];
    }
}
