using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Flows;

/// <content>The common case again, where the processor can put 64 bytes in another order at once (AVX-512 VBMI): the whole core in one step.</content>
public static unsafe partial class FlowKeyExtractor
{
    /// <summary>Whether the processor can.</summary>
    internal static bool HasVectorPath => Avx512Vbmi.IsSupported;

    // Which bytes of the core are of the frame, for UDP and, 64 bytes further, for TCP, which has flags.
    private static readonly byte* s_significant = MakeSignificant();

    /// <summary><see cref="TryReceive"/> for each packet that is IPv4 without a tag and options, not a fragment, with a whole TCP or UDP header.</summary>
    /// <param name="batch">The packets.</param>
    /// <param name="keys">Gets the key of packet i at index i; at least as long as the batch.</param>
    /// <param name="inPort">The datapath port they came from.</param>
    /// <param name="segments">The segments that are filled in already and stay: none, or the tunnel.</param>
    /// <returns>Bit i is set when packet i is another one, or its slot has other segments: nothing is written then.</returns>
    internal static uint ReceivePlainBatch(ref PacketBatch batch, Span<FlowKey> keys, uint inPort, FlowKeySegments segments)
    {
        // Byte i of the core is this byte of the frame, where it is significant: both Ethernet addresses and the type; IPv4 addresses;
        // protocol, TOS, TTL; ports; TCP flags. A test holds it to what the general way writes.
        Vector512<byte> places = Vector512.Create(
            (byte)0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 26, 27, 28, 29, 30, 31, 32, 33,
            23, 15, 22, 0, 34, 35, 36, 37, 46, 47, 0, 0, 0, 0, 0, 0);

        // What is not in the frame: the port, and that there is an Ethernet header.
        Vector512<byte> metadata = Vector512.Create(inPort, 0, 0, 0, 1UL << 48, 0, 0, 0).AsByte();
        uint others = 0;
        ref FlowKey key = ref MemoryMarshal.GetReference(keys[..batch.Count]);
        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);
            int length = packet->Length;
            bool hasRoom = length >= CommonLength && packet->DataOffset <= packet->FrameSize - Vector512<byte>.Count;
            if (!hasRoom || !packet->HasEthernet || packet->Offload.GsoType == PacketOffload.GsoUdpFragments || key.Segments != segments)
            {
                others |= 1u << i;
                key = ref Unsafe.Add(ref key, 1);
                continue;
            }

            // In bounds: no offset plus size is beyond CommonLength, and the frame has 64 bytes from here on.
            ref byte frame = ref packet->DataReference;
            uint typeVersionTos = Unaligned.Load<uint>(ref frame, 12);
            uint fragmentTtlProtocol = Unaligned.Load<uint>(ref frame, 20);
            uint protocol = fragmentTtlProtocol >> 24;
            uint offsetAndFlags = Unaligned.Load<ushort>(ref frame, 46);

            // Without branches: which of the two protocols comes next cannot be foreseen.
            bool isTcp = protocol == IpProtocols.Tcp;
            bool hasPorts = (protocol == IpProtocols.Udp) | (isTcp & HasWholeTcpHeader(offsetAndFlags, length - CommonLength));
            if (!(IsPlainIpv4(typeVersionTos, fragmentTtlProtocol) & hasPorts))
            {
                others |= 1u << i;
                key = ref Unsafe.Add(ref key, 1);
                continue;
            }

            // In bounds: the core is the first 64 bytes of the key.
            Vector512<byte> significant = Vector512.LoadAligned(s_significant + (Unsafe.BitCast<bool, byte>(isTcp) * Vector512<byte>.Count));
            Vector512<byte> core = (Avx512Vbmi.PermuteVar64x8(Vector512.LoadUnsafe(ref frame), places) & significant) | metadata;
            core.StoreUnsafe(ref Unsafe.As<FlowKey, byte>(ref key));
            packet->SetHeaders(EthernetLength, EthernetLength + 20, hasTransport: true, hasOuterTag: false);
            key = ref Unsafe.Add(ref key, 1);
        }

        return others;
    }

    private static byte* MakeSignificant()
    {
        byte* memory = (byte*)NativeMemory.AlignedAlloc(2 * (nuint)Vector512<byte>.Count, (nuint)Vector512<byte>.Count);
        Vector512<byte> udp = Vector512.Create(0, 0, -1L, 0x0000_ffff_ffff_ffff, 0, -1L, unchecked((long)0xffff_ffff_00ff_ffff), 0).AsByte();
        udp.StoreAligned(memory);
        (udp | Vector512.Create(0, 0, 0, 0, 0, 0, 0, 0xff0fL).AsByte()).StoreAligned(memory + Vector512<byte>.Count);
        return memory;
    }
}
