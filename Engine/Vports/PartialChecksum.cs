using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>Finds packets whose checksum or segmentation their source left to its sink where nothing says so: AF_XDP on a device made of software, and tunnels.</summary>
/// <remarks>
/// <para>The kernel leaves the sum of the pseudo-header in the checksum field of such a packet. A packet that is marked because its complete
/// checksum happens to be that number is not harmed: finishing it gives the same checksum again, since the field takes part in
/// the sum with just the value it has to.</para>
/// <para>A TCP packet longer than the device's MTU is a super-frame (generic XDP sees those). The size of its segments is not told; they
/// are made as long as the MTU allows.</para>
/// </remarks>
internal static class PartialChecksum
{
    private const ushort Ipv4 = 0x0800, Ipv6 = 0x86dd, CustomerTag = 0x8100, ServiceTag = 0x88a8;
    private const byte Tcp = 6, Udp = 17;

    /// <summary>Marks the packet when its checksum is the sum of its pseudo-header, and when it is a super-frame.</summary>
    /// <param name="packet">As it came.</param>
    /// <param name="mtu">Of the device it came by.</param>
    /// <param name="bareType">Ethernet type of a packet without an Ethernet header.</param>
    public static void Detect(ref Packet packet, int mtu, ushort bareType = 0)
    {
        if (IsComplete(ref packet))
        {
            return;
        }

        ReadOnlySpan<byte> bytes = packet.Bytes;
        int network = packet.HasEthernet ? 14 : 0;
        if (bytes.Length < network + 20)
        {
            return;
        }

        ushort type = packet.HasEthernet ? BinaryPrimitives.ReadUInt16BigEndian(bytes[12..]) : bareType;
        while (type is CustomerTag or ServiceTag && bytes.Length >= network + 4 + 20)
        {
            network += 4;
            type = BinaryPrimitives.ReadUInt16BigEndian(bytes[(network - 2)..]);
        }

        int transport, length;
        byte protocol;

        // Of the addresses; the words of IPv4's are added at once (TunnelBench).
        ulong pseudo;
        if (type == Ipv4)
        {
            // Fragments have complete checksums.
            transport = network + ((bytes[network] & 15) * 4);
            length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(network + 2)..]) - (transport - network);
            if ((BinaryPrimitives.ReadUInt16BigEndian(bytes[(network + 6)..]) & 0x3fff) != 0)
            {
                return;
            }

            protocol = bytes[network + 9];
            ulong addresses = MemoryMarshal.Read<ulong>(bytes[(network + 12)..]);
            pseudo = (addresses >> 32) + (uint)addresses;
        }
        else if (type == Ipv6 && bytes.Length >= network + 40)
        {
            transport = network + 40;
            length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(network + 4)..]);
            protocol = bytes[network + 6];
            pseudo = OnesComplement.Sum(bytes.Slice(network + 8, 32));
        }
        else
        {
            return;
        }

        int offset = protocol switch { Tcp => 16, Udp => 6, _ => -1 };
        if (offset < 0 || length < offset + 2 || transport + offset + 2 > bytes.Length)
        {
            return;
        }

        pseudo = OnesComplement.Fold(pseudo) + OnesComplement.PseudoHeader(protocol, length);
        if (MemoryMarshal.Read<ushort>(bytes[(transport + offset)..]) == OnesComplement.Fold(pseudo))
        {
            packet.Offload = new PacketOffload
            {
                Flags = ChecksumOffload.NeedsChecksum,
                ChecksumStart = (ushort)transport,
                ChecksumOffset = (ushort)offset,
            };
            if (protocol == Tcp && bytes.Length - network > mtu)
            {
                int header = transport - network + ((bytes[transport + 12] >> 4) * 4);
                packet.Offload.GsoType = type == Ipv4 ? PacketOffload.GsoTcpIpv4 : PacketOffload.GsoTcpIpv6;
                packet.Offload.SegmentSize = (ushort)Math.Max(mtu - header, 1);
            }
        }
    }

    // What comes most: untagged IPv4 without options, not a fragment, TCP or UDP, whose checksum is complete. Anything else is looked at again (TunnelBench).
    private static bool IsComplete(ref Packet packet)
    {
        const int WholeTcp = 54;
        if (!BitConverter.IsLittleEndian || packet.Length < WholeTcp || !packet.HasEthernet)
        {
            return false;
        }

        // In bounds: no offset plus size is beyond a whole TCP header. Bytes 12..15 are type, version and length, TOS; 20..23 fragment, TTL, protocol.
        ref byte frame = ref packet.DataReference;
        uint typeVersion = Unaligned.Load<uint>(ref frame, 12) & 0x00ff_ffff;
        uint fragmentProtocol = Unaligned.Load<uint>(ref frame, 20);
        uint protocol = fragmentProtocol >> 24;
        if (typeVersion != 0x0045_0008 || (fragmentProtocol & 0xff3f) != 0 || protocol is not (Tcp or Udp))
        {
            return false;
        }

        uint length = (uint)BinaryPrimitives.ReverseEndianness(Unaligned.Load<ushort>(ref frame, 16)) - 20;
        ulong addresses = Unaligned.Load<ulong>(ref frame, 26);
        ulong pseudo = (addresses >> 32) + (uint)addresses + (protocol << 8) + BinaryPrimitives.ReverseEndianness((ushort)length);
        return Unaligned.Load<ushort>(ref frame, protocol == Tcp ? 50 : 40) != OnesComplement.Fold(pseudo);
    }
}
