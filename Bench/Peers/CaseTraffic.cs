using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using Engine.Packets;
using Engine.Vports;

namespace Bench.Peers;

/// <summary>Packets and flows of a case, the same ones for the engine and its peers.</summary>
/// <remarks>
/// <para>Five-tuple i belongs to mask i mod masks and is number i / masks there. What tells it apart lies in bits that every mask covers:
/// the destination port is the mask's, the source port and the second byte of the source address are the number's.</para>
/// <para>When five-tuples never repeat, no mask covers the source port, and the number is in the second and third byte.</para>
/// </remarks>
internal sealed class CaseTraffic(PeerCase peerCase)
{
    /// <summary>The port packets come by, as Open vSwitch numbers it.</summary>
    public const uint InPort = 2;

    /// <summary>The port they leave by.</summary>
    public const uint OutPort = 3;

    private const int SourcePorts = 50_000;
    private const ushort FirstSourcePort = 1024;
    private const ushort FirstDestinationPort = 1000;

    private bool Repeats => peerCase.Kind is CaseKind.Replay or CaseKind.Churn;

    /// <summary>Number of flows.</summary>
    public int FlowCount => peerCase.FiveTuples;

    /// <summary>Writes frame i; with <see cref="CaseKind.NeverRepeating"/> the first packet of flow i.</summary>
    public byte[] Frame(int i)
    {
        bool isTagged = peerCase.Headers == CaseHeaders.TaggedUdpIpv4;
        bool isIpv6 = peerCase.Headers == CaseHeaders.UdpIpv6;
        byte[] frame = new byte[Math.Max(peerCase.FrameLength, 14 + (isTagged ? 4 : 0) + (isIpv6 ? 40 : 20) + 8)];
        Span<byte> rest = frame;
        ReadOnlySpan<byte> addresses = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        addresses.CopyTo(rest);
        rest = rest[12..];
        if (isTagged)
        {
            BinaryPrimitives.WriteUInt32BigEndian(rest, 0x8100_0005);
            rest = rest[4..];
        }

        BinaryPrimitives.WriteUInt16BigEndian(rest, (ushort)(isIpv6 ? 0x86dd : 0x0800));
        Span<byte> ip = rest[2..];
        Span<byte> udp = isIpv6 ? ip[40..] : ip[20..];
        if (isIpv6)
        {
            ip[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)udp.Length);
            ip[6] = 17;
            ip[7] = 64;
            Ipv6Address(SourceOf(i), 1).CopyTo(ip[8..]);
            Ipv6Address(DestinationOf(i), 2).CopyTo(ip[24..]);
        }
        else
        {
            ip[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
            ip[8] = 64;
            ip[9] = 17;
            BinaryPrimitives.WriteUInt32BigEndian(ip[12..], SourceOf(i));
            BinaryPrimitives.WriteUInt32BigEndian(ip[16..], DestinationOf(i));
            Traffic.WriteHeaderChecksum(ip);
        }

        BinaryPrimitives.WriteUInt16BigEndian(udp, SourcePortOf(i));
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], DestinationPortOf(i));
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        if (isIpv6)
        {
            BinaryPrimitives.WriteUInt16BigEndian(udp[6..], 0x1234);
        }

        return frame;
    }

    /// <summary>Flow i in ovs-dpctl's form, which both sides read: a key and actions.</summary>
    public string Flow(int i)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        int mask = i % peerCase.Masks;
        bool isIpv6 = peerCase.Headers == CaseHeaders.UdpIpv6;
        bool isRewritten = peerCase.Actions == CaseActions.Rewrite;
        StringBuilder text = new(300);
        text.Append(culture, $"recirc_id(0),in_port({InPort}),packet_type(ns=0,id=0),");
        text.Append("eth(");
        bool coversEthernetSource = Covers(mask, 2), coversEthernetDestination = Covers(mask, 3);
        text.Append(coversEthernetSource ? "src=02:00:00:00:00:01" : string.Empty);
        text.Append(coversEthernetSource && coversEthernetDestination ? "," : string.Empty);
        text.Append(coversEthernetDestination ? "dst=02:00:00:00:00:02" : string.Empty);
        text.Append("),");
        if (peerCase.Headers == CaseHeaders.TaggedUdpIpv4)
        {
            text.Append("eth_type(0x8100),vlan(vid=5,pcp=0),encap(");
        }

        text.Append(isIpv6 ? "eth_type(0x86dd),ipv6(" : "eth_type(0x0800),ipv4(");
        text.Append(culture, $"src={Address(SourceOf(i), SourceMaskOf(mask), 1)},dst={Address(DestinationOf(i), DestinationMaskOf(mask), 2)},proto=17,");
        text.Append(Covers(mask, 4) ? isIpv6 ? "tclass=0," : "tos=0," : string.Empty);
        text.Append(Covers(mask, 5) || isRewritten ? isIpv6 ? "hlimit=64," : "ttl=64," : string.Empty);
        text.Append("frag=no),udp(");
        text.Append(Repeats ? string.Create(culture, $"src={SourcePortOf(i)},") : string.Empty);
        text.Append(culture, $"dst={DestinationPortOf(i)})");
        text.Append(peerCase.Headers == CaseHeaders.TaggedUdpIpv4 ? ") " : " ");
        return text.Append(Actions(isIpv6)).ToString();
    }

    /// <summary>All frames in memory.</summary>
    public PacketStore ToStore()
    {
        PacketStore store = new();
        for (int i = 0; i < FlowCount; i++)
        {
            store.Add(Frame(i));
        }

        return store;
    }

    /// <summary>All frames in a temporary file.</summary>
    /// <returns>Its path.</returns>
    public string WriteCapture()
    {
        string path = Path.GetTempFileName();
        using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        using CaptureWriter writer = new(file, CaptureFormat.PcapMicroseconds);
        for (int i = 0; i < FlowCount; i++)
        {
            writer.TryWrite(Frame(i), 0);
        }

        writer.Flush();
        return path;
    }

    private string Actions(bool isIpv6) => peerCase.Actions switch
    {
        CaseActions.PushVlan => $"push_vlan(vid=7,pcp=0),{OutPort}",
        CaseActions.Rewrite when isIpv6 => $"set(ipv6(src=2001:db8::9,dst=2001:db8::7,hlimit=63)),set(udp(src=4000,dst=5000)),{OutPort}",
        CaseActions.Rewrite => $"set(ipv4(src=203.0.113.9,dst=198.51.100.7,ttl=63)),set(udp(src=4000,dst=5000)),{OutPort}",
        _ => OutPort.ToString(CultureInfo.InvariantCulture),
    };

    // Whether a mask of whole bytes covers its optional part.
    private bool Covers(int mask, int part) => peerCase.Shape == MaskShape.WholeBytes && (mask >> part & 1) != 0;

    private uint SourceMaskOf(int mask) => peerCase.Shape == MaskShape.Prefixes
        ? uint.MaxValue << (mask % 10)
        : 0xffff_0000 | (Covers(mask, 0) ? 0xff : 0u) | (Covers(mask, 6) ? 0xff00 : 0u);

    private uint DestinationMaskOf(int mask) => peerCase.Shape == MaskShape.Prefixes
        ? uint.MaxValue << (mask / 10)
        : 0xffff_ff00 | (Covers(mask, 1) ? 0xff : 0u);

    private int NumberOf(int i) => i / peerCase.Masks;

    private uint SourceOf(int i) => 0x0a00_0000 | (Repeats ? (uint)(NumberOf(i) / SourcePorts) << 16 : ((uint)NumberOf(i) % 256 << 16) | ((uint)NumberOf(i) / 256 << 9));

    private uint DestinationOf(int i) => 0xc0a8_0000 | ((uint)NumberOf(i) * 7 & 0x3f) << 10;

    private ushort SourcePortOf(int i) => Repeats ? (ushort)(FirstSourcePort + (NumberOf(i) % SourcePorts)) : FirstSourcePort;

    private ushort DestinationPortOf(int i) => (ushort)(FirstDestinationPort + (i % peerCase.Masks));

    private string Address(uint low, uint mask, uint high)
    {
        if (peerCase.Headers != CaseHeaders.UdpIpv6)
        {
            return $"{Ipv4Address(low)}/{Ipv4Address(mask)}";
        }

        byte[] bits = new byte[16];
        Array.Fill(bits, byte.MaxValue);
        BinaryPrimitives.WriteUInt32BigEndian(bits.AsSpan(12), mask);
        return $"{new IPAddress(Ipv6Address(low, high))}/{new IPAddress(bits)}";
    }

    private static IPAddress Ipv4Address(uint value) => new(BinaryPrimitives.ReverseEndianness(value));

    private static byte[] Ipv6Address(uint low, uint high)
    {
        byte[] address = new byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(address, 0x2001_0db8);
        BinaryPrimitives.WriteUInt32BigEndian(address.AsSpan(4), high);
        BinaryPrimitives.WriteUInt32BigEndian(address.AsSpan(12), low);
        return address;
    }
}
