using Engine.Packets;
using Engine.Primitives;
using Engine.Vports;

namespace Bench;

/// <summary>Ports for the control benchmarks: "in" brings the same frames without end, all others discard.</summary>
internal sealed class ControlPorts : IVportFactory
{
    /// <summary>Index of the first device that is made: the local port's.</summary>
    public const int LocalIndex = 100;

    private int _lastIndex = LocalIndex - 1;

    /// <inheritdoc/>
    public Errno TryCreate(VportRequest request, out VportDevice? device)
    {
        device = new VportDevice(request.Name, ++_lastIndex, request.Name == "in" ? new EndlessDriver() : new NullDriver());
        return Errno.None;
    }

    private sealed unsafe class EndlessDriver : IVportDriver
    {
        private readonly byte[][] _frames = [.. Enumerable.Range(0, 1024).Select(static number => MakeFrame(number))];
        private int _next;

        public void Receive(PacketPool pool, ref PacketBatch batch)
        {
            while (batch.Count < PacketBatch.Capacity && pool.TryAllocate() is var packet && packet != null)
            {
                packet->TrySetBytes(_frames[_next++ & 1023]);
                batch.Add(packet);
            }
        }

        public int Transmit(PacketPool pool, ref PacketBatch batch) => 0;

        public void Dispose()
        {
        }

        // Of the flow of this number in ControlRequests.
        private static byte[] MakeFrame(int number)
        {
            byte[] frame = new byte[60];
            Convert.FromHexString("020000000002020000000001" + "0800" + "4500002e000000004006" + "0000" + "0a0000000a000002" + "00000050" + "0000000000000000" + "5000").CopyTo(frame, 0);
            BitConverter.TryWriteBytes(frame.AsSpan(26), 10u | ((uint)number << 8));
            return frame;
        }
    }
}
