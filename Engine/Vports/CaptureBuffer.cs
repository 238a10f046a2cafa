using Engine.Primitives;

namespace Engine.Vports;

/// <summary>A window on a stream: as many bytes as a record needs stand together in memory, and their offset in the stream is known.</summary>
/// <remarks>Allocates only when a record is longer than any before it.</remarks>
internal sealed class CaptureBuffer(Stream stream) : IDisposable
{
    private const int InitialSize = 64 << 10;

    private byte[] _bytes = new byte[InitialSize];
    private int _start;
    private int _end;

    /// <summary>Offset in the stream of the first byte of the window.</summary>
    public long Offset { get; private set; }

    /// <summary>Bytes in the window.</summary>
    public int Available => _end - _start;

    /// <summary>What the stream said when it failed; null while it works.</summary>
    public string? Failure { get; private set; }

    /// <summary>The window.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(_start, _end - _start);

    /// <summary>Makes the window at least <paramref name="count"/> bytes long.</summary>
    /// <returns>False when the stream ends or fails before that; the window then holds what was left.</returns>
    public bool TryFill(int count) => count <= _end - _start || TryReadMore(count);

    /// <summary>Moves the start of the window forward.</summary>
    public void Advance(int count)
    {
        Invariant.Assert((uint)count <= (uint)Available);
        _start += count;
        Offset += count;
    }

    /// <summary>Moves forward by <paramref name="count"/> bytes without keeping any.</summary>
    /// <returns>False when the stream ends or fails before that.</returns>
    public bool TrySkip(long count)
    {
        while (count > Available)
        {
            count -= Available;
            Advance(Available);
            if (!TryFill(1))
            {
                return false;
            }
        }

        Advance((int)count);
        return true;
    }

    public void Dispose() => stream.Dispose();

    private bool TryReadMore(int count)
    {
        if (_start + count > _bytes.Length)
        {
            byte[] target = count <= _bytes.Length ? _bytes : new byte[(int)Math.Min((long)count * 2, Array.MaxLength)];
            Bytes.CopyTo(target);
            _bytes = target;
            _end -= _start;
            _start = 0;
        }

        while (_end - _start < count)
        {
            int read = ReadStream();
            if (read == 0)
            {
                return false;
            }

            _end += read;
        }

        return true;
    }

    private int ReadStream()
    {
        if (Failure != null)
        {
            return 0;
        }

        try
        {
            return stream.Read(_bytes.AsSpan(_end));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            Failure = exception.Message;
            return 0;
        }
    }
}
