using System.Buffers.Binary;

namespace Bench;

/// <summary>Seeded packets that all benchmarks share: frames of one size, with as many different five-tuples as asked for.</summary>
public static class Traffic
{
    /// <summary>Bytes of a smallest Ethernet frame without its checksum.</summary>
    public const int SmallestFrame = 60;

    /// <summary>UDP over IPv4; five-tuple i has source 10.0.0.0 + i and ports derived from i.</summary>
    public static byte[][] Udp4(int fiveTuples, int frameLength = SmallestFrame)
    {
        byte[][] frames = new byte[fiveTuples][];
        for (int i = 0; i < fiveTuples; i++)
        {
            byte[] frame = new byte[frameLength];
            WriteEthernet(frame, 0x0800);
            Span<byte> ip = frame.AsSpan(14);
            ip[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
            ip[8] = 64;
            ip[9] = 17;
            BinaryPrimitives.WriteUInt32BigEndian(ip[12..], 0x0a00_0000u + (uint)i);
            BinaryPrimitives.WriteUInt32BigEndian(ip[16..], 0xc0a8_0000u + ((uint)i * 2_654_435_761u >> 16));
            WriteHeaderChecksum(ip);
            Span<byte> udp = ip[20..];
            BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)(1024 + (i % 50_000)));
            BinaryPrimitives.WriteUInt16BigEndian(udp[2..], 53);
            BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
            frames[i] = frame;
        }

        return frames;
    }

    /// <summary>TCP over IPv6 behind an 802.1Q tag, at least 78 bytes.</summary>
    public static byte[][] TaggedTcp6(int fiveTuples)
    {
        byte[][] frames = new byte[fiveTuples][];
        for (int i = 0; i < fiveTuples; i++)
        {
            byte[] frame = new byte[14 + 4 + 40 + 20];
            WriteEthernet(frame, 0x8100);
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(14), 5);
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(16), 0x86dd);
            Span<byte> ip = frame.AsSpan(18);
            ip[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], 20);
            ip[6] = 6;
            ip[7] = 64;
            BinaryPrimitives.WriteUInt32BigEndian(ip[8..], 0x2001_0db8);
            BinaryPrimitives.WriteUInt32BigEndian(ip[20..], (uint)i);
            BinaryPrimitives.WriteUInt32BigEndian(ip[24..], 0x2001_0db8);
            ip[39] = 1;
            Span<byte> tcp = ip[40..];
            BinaryPrimitives.WriteUInt16BigEndian(tcp, (ushort)(1024 + (i % 50_000)));
            BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], 443);
            tcp[12] = 0x50;
            tcp[13] = 0x10;
            frames[i] = frame;
        }

        return frames;
    }

    private static void WriteEthernet(Span<byte> frame, ushort etherType)
    {
        ReadOnlySpan<byte> addresses = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        addresses.CopyTo(frame);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], etherType);
    }

    internal static void WriteHeaderChecksum(Span<byte> ip)
    {
        uint sum = 0;
        for (int i = 0; i < 20; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(ip[i..]);
        }

        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~(sum + (sum >> 16)));
    }
}
