using Engine.Packets;
using Engine.Vports;

namespace Engine.Tests.Golden;

/// <summary>Keeps every packet that a port sends, in order.</summary>
internal sealed unsafe class RecordingDriver : IVportDriver
{
    /// <summary>What was sent since the last <see cref="Clear"/>.</summary>
    public List<byte[]> Sent { get; } = [];

    public void Clear() => Sent.Clear();

    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
    }

    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        int count = batch.Count;
        for (int i = 0; i < count; i++)
        {
            Sent.Add(batch[i].Bytes.ToArray());
            pool.Free(batch.Pointer(i));
        }

        batch.Clear();
        return count;
    }

    public void Dispose()
    {
    }
}
