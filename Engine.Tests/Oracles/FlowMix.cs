using System.Runtime.InteropServices;
using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Tests.Actions;

namespace Engine.Tests.Oracles;

/// <summary>Random flows for the packets of a <see cref="PacketMix"/>: disjoint, with actions that the datapath accepts and <see cref="ByteDatapath"/> knows.</summary>
internal sealed class FlowMix(PacketMix mix)
{
    /// <summary>Actions recirculate to these ids, from 1 on; flows with such an id do not recirculate again.</summary>
    public const int RecirculationIds = 3;

    /// <summary>Outputs go to ports 1 to this.</summary>
    public const int Ports = 6;

    private const int AttemptsPerFlow = 200;
    private readonly List<(FlowKey Key, FlowKey Mask)> _flows = [];

    private Random Random => mix.Random;

    /// <summary>Adds up to <paramref name="count"/> flows that overlap with none so far.</summary>
    public IEnumerable<(FlowKey Key, FlowKey Mask, ActionList Actions)> Next(int count)
    {
        for (int attempts = count * AttemptsPerFlow; count > 0 && attempts > 0; attempts--)
        {
            uint recirculationId = Random.Next(4) == 0 ? (uint)Random.Next(1, RecirculationIds + 1) : 0;
            FlowKey key = KeyOfPacket();
            key.RecirculationId = recirculationId;
            FlowKey mask = MaskFor(in key, isWide: recirculationId != 0);
            if (_flows.Exists(flow => Overlap(flow.Key, flow.Mask, in key, in mask)))
            {
                continue;
            }

            FlowKey.MaskedCopy(in key, in mask, out FlowKey masked);
            byte[] actions = ActionsFor(in masked, recirculates: recirculationId == 0, depth: 0);
            if (ActionList.TryCreate(actions, in masked, ActionFeatures.All, out ActionList? list).IsRefused)
            {
                continue;
            }

            _flows.Add((key, mask));
            count--;
            yield return (key, mask, list!);
        }
    }

    private static bool Overlap(in FlowKey firstKey, in FlowKey firstMask, in FlowKey secondKey, in FlowKey secondMask)
    {
        ReadOnlySpan<byte> key1 = LinearClassifier<int>.BytesOf(in firstKey), mask1 = LinearClassifier<int>.BytesOf(in firstMask);
        ReadOnlySpan<byte> key2 = LinearClassifier<int>.BytesOf(in secondKey), mask2 = LinearClassifier<int>.BytesOf(in secondMask);
        for (int i = 0; i < key1.Length; i++)
        {
            if (((key1[i] ^ key2[i]) & mask1[i] & mask2[i]) != 0)
            {
                return false;
            }
        }

        return true;
    }

    private FlowKey KeyOfPacket()
    {
        while (true)
        {
            FlowKeyExtractorTwin extraction = FlowKeyExtractorTwin.Receive(mix.Next(), udpSegmentation: false, 1);
            if (extraction.Succeeded)
            {
                return extraction.Key;
            }
        }
    }

    // What tells the kinds of packets apart is always matched, as ovs-vswitchd does; of the rest any bits.
    private FlowKey MaskFor(in FlowKey key, bool isWide)
    {
        FlowKey mask = default;
        Span<byte> bits = MemoryMarshal.AsBytes(new Span<FlowKey>(ref mask));
        ReadOnlySpan<byte> values = LinearClassifier<int>.BytesOf(in key);
        if (!isWide)
        {
            foreach (FlowField field in FlowFields.All)
            {
                // Fields of headers that the packet does not have stay out.
                Span<byte> own = bits.Slice(field.Offset, field.Size);
                if (values.Slice(field.Offset, field.Size).ContainsAnyExcept((byte)0) && Random.Next(10) == 0)
                {
                    own.Fill(0xff);
                    if (Random.Next(4) == 0)
                    {
                        own[Random.Next(own.Length)] = (byte)(0xff << Random.Next(8));
                    }
                }
            }
        }

        mask.InPort = uint.MaxValue;
        mask.RecirculationId = uint.MaxValue;
        mask.EtherType = 0xffff;
        mask.VlanTci = (ushort)(mask.VlanTci.Value | 0x1000);
        mask.InnerVlanTci = (ushort)(mask.InnerVlanTci.Value | 0x1000);
        mask.IpProtocol = 0xff;
        mask.IpFragment = 0xff;
        mask.MplsLabelsMask = 0;
        mask.Segments = mask.FindSegments();
        return mask;
    }

    private byte[] ActionsFor(in FlowKey key, bool recirculates, int depth)
    {
        List<byte> actions = [];
        FlowKey own = key;
        for (int count = Random.Next(depth == 0 ? 6 : 3); count > 0; count--)
        {
            actions.AddRange(Action(in own, recirculates, depth));
        }

        return [.. actions, .. ActionBytes.Output(Port())];
    }

    private uint Port() => (uint)Random.Next(1, Ports + 1);

    private byte[] Action(in FlowKey key, bool recirculates, int depth) => Random.Next(12) switch
    {
        0 => ActionBytes.PushVlan((ushort)(Random.Next(2) == 0 ? 0x8100 : 0x88a8), (ushort)(Random.Next(0x1000) | 0x1000)),
        1 => ActionBytes.PopVlan(),
        2 => ActionBytes.PushMpls((uint)Random.Next() | 0x100, (ushort)(Random.Next(2) == 0 ? 0x8847 : 0x8848)),
        3 => ActionBytes.PopMpls((ushort)(Random.Next(2) == 0 ? 0x0800 : 0x88b5)),
        4 => ActionBytes.Truncate((uint)Random.Next(14, 200)),
        5 when depth == 0 => ActionBytes.Clone(ActionsFor(in key, recirculates: false, depth + 1)),
        6 when depth == 0 => ActionBytes.CheckLength(
            (ushort)Random.Next(40, 140), ActionsFor(in key, recirculates: false, depth + 1), ActionsFor(in key, recirculates: false, depth + 1)),
        7 when recirculates && depth == 0 => ActionBytes.Recirculate((uint)Random.Next(1, RecirculationIds + 1)),
        8 => ActionBytes.Output(Port()),
        _ => SetMasked(in key),
    };

    private byte[] SetMasked(in FlowKey key)
    {
        (OvsKeyAttribute attribute, int size) = Random.Next(3) == 0
            ? (OvsKeyAttribute.Ethernet, 12)
            : (key.EtherType.Value, key.IpProtocol, key.IpFragment == 2 ? 1 : Random.Next(2)) switch
            {
                (0x0800 or 0x86dd, 6, 0) => (OvsKeyAttribute.Tcp, 4),
                (0x0800 or 0x86dd, 17, 0) => (OvsKeyAttribute.Udp, 4),
                (0x0800 or 0x86dd, 132, 0) => (OvsKeyAttribute.Sctp, 4),
                (0x0800, _, _) => (OvsKeyAttribute.Ipv4, 12),
                (0x86dd, _, _) => (OvsKeyAttribute.Ipv6, 40),
                (0x8847 or 0x8848, _, _) => (OvsKeyAttribute.Mpls, 4),
                _ => (OvsKeyAttribute.Ethernet, 12),
            };
        byte[] value = new byte[size], mask = new byte[size];
        Random.NextBytes(value);
        Array.Fill(mask, (byte)0xff);
        for (int i = 0; i < size; i++)
        {
            if (Random.Next(3) == 0)
            {
                mask[i] = (byte)(Random.Next(3) == 0 ? Random.Next(256) : 0);
            }
        }

        // Protocol and fragment type cannot be set; the label has 20 bits.
        switch (attribute)
        {
            case OvsKeyAttribute.Ipv4:
                (mask[8], mask[11], value[8], value[11]) = (0, 0, 0, 0);
                break;
            case OvsKeyAttribute.Ipv6:
                (mask[36], mask[39], value[36], value[39]) = (0, 0, 0, 0);
                (mask[32], value[32]) = (0, 0);
                mask[33] &= 0x0f;
                break;
        }

        for (int i = 0; i < size; i++)
        {
            value[i] &= mask[i];
        }

        return ActionBytes.SetMasked(attribute, [.. value, .. mask]);
    }
}
