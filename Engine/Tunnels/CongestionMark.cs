using System.Runtime.CompilerServices;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>Explicit congestion notification across a tunnel, RFC 6040, as the kernel's INET_ECN_encapsulate and INET_ECN_decapsulate.</summary>
internal static class CongestionMark
{
    private const byte Mask = 3, NotCapable = 0, Capable = 2, Experienced = 3;

    private const int EthernetLength = 14, TagLength = 4, Ipv4Length = 20, Ipv6Length = 40;

    /// <summary>The outer TOS: that of the tunnel, with the mark of the inner packet; one that has experienced congestion goes as capable only.</summary>
    public static byte Encapsulate(byte outer, byte inner) =>
        (byte)((outer & ~Mask) | ((inner & Mask) == Experienced ? Capable : inner & Mask));

    /// <summary>Whether an outer TOS says that congestion was experienced: only then the inner packet changes.</summary>
    public static bool IsExperienced(byte outer) => (outer & Mask) == Experienced;

    /// <summary>Takes the outer mark into the inner packet.</summary>
    /// <returns>False when congestion was experienced by a packet that cannot say so: it must be dropped.</returns>
    public static bool TryDecapsulate(byte outer, Span<byte> packet, bool hasEthernet, ushort etherType)
    {
        if (!IsExperienced(outer))
        {
            return true;
        }

        int network = FindNetwork(packet, hasEthernet, ref etherType);
        if (network < 0)
        {
            return true;
        }

        if ((TosAt(packet[network..], etherType) & Mask) == NotCapable)
        {
            return false;
        }

        Mark(packet[network..], etherType);
        return true;
    }

    /// <summary>The TOS or traffic class of a packet with an Ethernet header; 0 for one that is not IP.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe byte TosOf(Packet* packet)
    {
        if (BitConverter.IsLittleEndian && packet->Length >= EthernetLength + Ipv4Length)
        {
            // In bounds: the length was asked for. Bytes 12..15 are type, version and length, TOS.
            uint typeVersionTos = Unaligned.Load<uint>(ref packet->DataReference, EthernetLength - sizeof(ushort));
            if ((ushort)typeVersionTos == 0x0008)
            {
                return (byte)(typeVersionTos >> 24);
            }
        }

        return TosOf(packet->Bytes, hasEthernet: true, EtherTypes.TransparentEthernet);
    }

    /// <summary>The TOS or traffic class of a packet; 0 for one that is not IP.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static byte TosOf(ReadOnlySpan<byte> packet, bool hasEthernet, ushort etherType)
    {
        int network = FindNetwork(packet, hasEthernet, ref etherType);
        return network < 0 ? (byte)0 : TosAt(packet[network..], etherType);
    }

    // Where a whole IP header starts behind Ethernet header and tags, or -1.
    private static int FindNetwork(ReadOnlySpan<byte> packet, bool hasEthernet, ref ushort etherType)
    {
        int network = 0;
        if (hasEthernet)
        {
            network = EthernetLength;
            if (packet.Length < EthernetLength)
            {
                return -1;
            }

            etherType = TypeBefore(packet, network);
            while (EtherTypes.IsVlan(etherType) && packet.Length >= network + TagLength)
            {
                network += TagLength;
                etherType = TypeBefore(packet, network);
            }
        }

        int needed = etherType switch { EtherTypes.Ipv4 => Ipv4Length, EtherTypes.Ipv6 => Ipv6Length, _ => int.MaxValue };
        return packet.Length - network >= needed ? network : -1;
    }

    private static ushort TypeBefore(ReadOnlySpan<byte> packet, int network) => (ushort)((packet[network - 2] << 8) | packet[network - 1]);

    private static byte TosAt(ReadOnlySpan<byte> ip, ushort etherType) =>
        etherType == EtherTypes.Ipv4 ? ip[1] : (byte)((ip[0] << 4) | (ip[1] >> 4));

    private static void Mark(Span<byte> ip, ushort etherType)
    {
        const int TosOffset = 1, ChecksumOffset = 10;
        if (etherType != EtherTypes.Ipv4)
        {
            ip[1] |= Experienced << 4;
            return;
        }

        ushort before = (ushort)((ip[0] << 8) | ip[TosOffset]);
        ip[TosOffset] |= Experienced;
        ushort after = (ushort)((ip[0] << 8) | ip[TosOffset]);

        // RFC 1624: the checksum without the old word, with the new.
        uint sum = (uint)(ushort)~((ip[ChecksumOffset] << 8) | ip[ChecksumOffset + 1]) + (ushort)~before + after;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        ushort checksum = (ushort)~sum;
        ip[ChecksumOffset] = (byte)(checksum >> 8);
        ip[ChecksumOffset + 1] = (byte)checksum;
    }
}
