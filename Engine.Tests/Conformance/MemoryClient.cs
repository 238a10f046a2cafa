using Engine.Control;

namespace Engine.Tests.Conformance;

/// <summary>A netlink socket made of memory.</summary>
internal sealed class MemoryClient : ControlClient
{
    private readonly Queue<byte[]> _datagrams = new();

    public MemoryClient(uint portId)
        : base(portId) => WantsExtendedAcks = true;

    /// <summary>Datagrams that fit until some are taken.</summary>
    public int Capacity { get; set; } = int.MaxValue;

    /// <summary>Takes all messages that came, datagram by datagram.</summary>
    public List<byte[]> TakeMessages()
    {
        List<byte[]> messages = [];
        while (_datagrams.TryDequeue(out byte[]? datagram))
        {
            Split(datagram, messages);
        }

        return messages;
    }

    /// <summary>Takes one datagram.</summary>
    public byte[]? TakeDatagram() => _datagrams.TryDequeue(out byte[]? datagram) ? datagram : null;

    /// <summary>Cuts a datagram into its messages.</summary>
    public static void Split(ReadOnlySpan<byte> datagram, List<byte[]> messages)
    {
        while (!datagram.IsEmpty)
        {
            int length = BitConverter.ToInt32(datagram);
            messages.Add(datagram[..length].ToArray());
            datagram = datagram[Math.Min((length + 3) & ~3, datagram.Length)..];
        }
    }

    protected override bool TrySend(ReadOnlySpan<byte> datagram)
    {
        if (_datagrams.Count >= Capacity)
        {
            return false;
        }

        _datagrams.Enqueue(datagram.ToArray());
        return true;
    }
}
