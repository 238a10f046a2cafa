using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using Engine.Packets;
using Engine.Vports;

namespace Bench.Peers;

/// <summary>Receives packets made on the fly: flow after flow in a scattered order, each time with a source port not seen before.</summary>
/// <remarks>A flow comes again after all others, with the next of its 65,536 source ports. The UDP checksum is 0, so that nothing else changes.</remarks>
internal sealed unsafe class NeverRepeatingDriver : IVportDriver
{
    private const int SourcePortOffset = 34;

    private readonly PacketStore _store = new();
    private readonly uint _step;
    private uint _next;
    private uint _round;

    /// <summary>Makes the driver for traffic of IPv4 without a tag.</summary>
    public NeverRepeatingDriver(CaseTraffic traffic)
    {
        for (int i = 0; i < traffic.FlowCount; i++)
        {
            _store.Add(traffic.Frame(i));
        }

        // A step without a common factor visits every flow before one comes again.
        _step = (uint)(traffic.FlowCount * 0.618) | 1;
        while (BigInteger.GreatestCommonDivisor(_step, traffic.FlowCount) != 1)
        {
            _step += 2;
        }
    }

    /// <summary>Whether a five-tuple has come twice.</summary>
    public bool HasWrapped => _round > ushort.MaxValue;

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
        uint count = (uint)_store.Count;
        uint next = _next, round = _round;
        while (!batch.IsFull)
        {
            Packet* packet = pool.TryAllocate();
            if (packet == null)
            {
                break;
            }

            _store.CopyTo((int)next, packet);

            // In bounds: every frame of the store has a UDP header there.
            Unsafe.WriteUnaligned(ref Unsafe.AddByteOffset(ref packet->DataReference, SourcePortOffset), BinaryPrimitives.ReverseEndianness((ushort)round));
            batch.Add(packet);
            next += _step;
            if (next >= count)
            {
                next -= count;
            }

            round += next == 0 ? 1u : 0;
        }

        _next = next;
        _round = round;
    }

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose() => _store.Dispose();
}
