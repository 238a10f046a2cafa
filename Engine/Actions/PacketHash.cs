using System.Numerics;
using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Actions;

/// <summary>The hash action: a number that is the same for all packets of a connection.</summary>
/// <remarks>The kernel's secret is random; here it is fixed, so that a replay gives the same result every time.</remarks>
internal static unsafe class PacketHash
{
    private const ulong SoftwareBit = 1ul << 32;
    private const ulong TransportBit = 1ul << 33;
    private const uint HashSymmetricL4 = 1;
    private const ulong Secret = 0x9e37_79b9_7f4a_7c15;

    /// <summary>Sets the key's datapath hash, which is never 0 (execute_hash).</summary>
    public static void SetDatapathHash(Packet* packet, ref FlowKey key, uint algorithm, uint basis)
    {
        uint hash;
        if (algorithm == HashSymmetricL4)
        {
            hash = OfKey(key, isSymmetric: true);
        }
        else
        {
            EnsureFlowHash(packet, in key);
            hash = (uint)packet->FlowHash;
        }

        hash = JenkinsHash(hash, basis);
        key.DatapathHash = hash == 0 ? 1 : hash;
    }

    /// <summary>Gives the packet a flow hash (skb_get_hash). One that the source computed is kept until an action changes the connection.</summary>
    public static void EnsureFlowHash(Packet* packet, in FlowKey key)
    {
        if (packet->FlowHash == 0)
        {
            packet->FlowHash = OfKey(key, isSymmetric: false) | SoftwareBit | TransportBit;
        }
    }

    /// <summary>Bob Jenkins' hash of one word as the kernel's jhash_1word.</summary>
    internal static uint JenkinsHash(uint word, uint basis)
    {
        uint initial = basis + 0xdeadbeef + sizeof(uint);
        uint a = word + initial, b = initial, c = initial;
        c = (c ^ b) - BitOperations.RotateLeft(b, 14);
        a = (a ^ c) - BitOperations.RotateLeft(c, 11);
        b = (b ^ a) - BitOperations.RotateLeft(a, 25);
        c = (c ^ b) - BitOperations.RotateLeft(b, 16);
        a = (a ^ c) - BitOperations.RotateLeft(c, 4);
        b = (b ^ a) - BitOperations.RotateLeft(a, 14);
        return (c ^ b) - BitOperations.RotateLeft(b, 24);
    }

    /// <summary>A number made from the addresses and ports of a connection.</summary>
    internal static uint OfKey(in FlowKey key, bool isSymmetric)
    {
        ulong source, destination;
        switch (key.EtherType.Value)
        {
            case 0x0800:
                source = key.Ipv4Source.Raw;
                destination = key.Ipv4Destination.Raw;
                break;
            case 0x86dd:
                source = Mix(key.Ipv6Source);
                destination = Mix(key.Ipv6Destination);
                break;
            default:
                source = Bits(key.EthernetSource);
                destination = Bits(key.EthernetDestination);
                break;
        }

        // Fragments after the first have no ports, so no fragment is hashed by them.
        bool hasPorts = key.IpFragment == 0 && key.IpProtocol is 6 or 17 or 132;
        source = Mix(source ^ (hasPorts ? (ulong)key.TransportSource.Raw << 32 : 0));
        destination = Mix(destination ^ (hasPorts ? (ulong)key.TransportDestination.Raw << 32 : 0));
        ulong both = isSymmetric ? source + destination : source + BitOperations.RotateLeft(destination, 29);
        ulong hash = Mix(both ^ ((ulong)key.EtherType.Raw << 8) ^ key.IpProtocol);
        uint folded = (uint)(hash >> 32);
        return folded == 0 ? 1 : folded;
    }

    private static ulong Mix(ulong value)
    {
        ulong high = Math.BigMul(value ^ Secret, 0xd6e8_feb8_6659_fd93, out ulong low);
        return high ^ low;
    }

    private static ulong Mix(in Ipv6Address address)
    {
        ReadOnlySpan<ulong> halves = MemoryMarshal.Cast<Ipv6Address, ulong>(new ReadOnlySpan<Ipv6Address>(in address));
        return Mix(halves[0]) + halves[1];
    }

    private static ulong Bits(in EthernetAddress address)
    {
        ReadOnlySpan<ushort> parts = MemoryMarshal.Cast<EthernetAddress, ushort>(new ReadOnlySpan<EthernetAddress>(in address));
        return parts[0] | ((ulong)parts[1] << 16) | ((ulong)parts[2] << 32);
    }
}
