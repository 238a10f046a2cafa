using System.Runtime.InteropServices;

namespace Engine.Netlink;

/// <summary>Walks the messages of a buffer, for use with <c>foreach</c>. Stops at the first malformed header, as the kernel's <c>netlink_rcv_skb</c>.</summary>
/// <param name="buffer">Messages one after the other, each padded to 4 bytes.</param>
internal ref struct NetlinkMessages(ReadOnlySpan<byte> buffer)
{
    private readonly ReadOnlySpan<byte> _buffer = buffer;

    /// <summary>The message reached by <see cref="MoveNext"/>, header included, without padding.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>Where that message starts in the buffer.</summary>
    public int Start { get; private set; }

    /// <summary>Where the next message would start.</summary>
    public int End { get; private set; }

    /// <summary>The header of a message.</summary>
    public static NetlinkHeader HeaderOf(ReadOnlySpan<byte> message) => MemoryMarshal.Read<NetlinkHeader>(message);

    /// <summary>Goes to the next message.</summary>
    /// <returns>False at the end or at a malformed header.</returns>
    public bool MoveNext()
    {
        ReadOnlySpan<byte> rest = _buffer[End..];
        if (rest.Length < NetlinkHeader.Size)
        {
            return false;
        }

        uint length = HeaderOf(rest).Length;
        if (length < NetlinkHeader.Size || length > (uint)rest.Length)
        {
            return false;
        }

        Start = End;
        Current = rest[..(int)length];
        End = (int)Math.Min(End + (((long)length + 3) & ~3), _buffer.Length);
        return true;
    }

    /// <summary>This walk, from the start.</summary>
    public readonly NetlinkMessages GetEnumerator() => new(_buffer);
}
