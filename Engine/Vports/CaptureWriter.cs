using System.Buffers.Binary;

namespace Engine.Vports;

/// <summary>Writes Ethernet packets to a capture, little-endian, in one of the three formats.</summary>
/// <remarks>
/// <para>Nothing is allocated per packet; bytes reach the stream when the buffer is full, at <see cref="Flush"/> and at the end. A stream
/// that fails does not throw: <see cref="Failure"/> says so and nothing more is written.</para>
/// <para>Threads: one at a time.</para>
/// </remarks>
public sealed class CaptureWriter : IDisposable
{
    private const int BufferSize = 64 << 10;
    private const int NanosecondsPerSecond = 1_000_000_000;

    // draft-ietf-opsawg-pcapng §4.2: code 9, one byte: 10^-9 s; then the end of options.
    private static ReadOnlySpan<byte> NanosecondResolution => [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];

    private readonly Stream _stream;
    private readonly byte[] _buffer = new byte[BufferSize];
    private int _used;

    /// <summary>Starts a capture with its header.</summary>
    /// <param name="stream">Where it goes; belongs to the writer.</param>
    /// <param name="format">The file format. Of a time in microseconds the rest is cut off.</param>
    public CaptureWriter(Stream stream, CaptureFormat format = CaptureFormat.PcapNanoseconds)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _stream = stream;
        Format = format;
        if (format == CaptureFormat.Pcapng)
        {
            WriteSectionHeader();
        }
        else
        {
            WriteFileHeader();
        }
    }

    /// <summary>The file format.</summary>
    public CaptureFormat Format { get; }

    /// <summary>What the stream said when it failed; null while it works. Packets may have been lost with the buffer.</summary>
    public string? Failure { get; private set; }

    /// <summary>Adds a packet.</summary>
    /// <param name="packet">Its bytes, at most <see cref="CaptureReader.MaximumPacketLength"/>.</param>
    /// <param name="timestampNs">When it passed, in nanoseconds since 1970-01-01 UTC.</param>
    /// <param name="originalLength">Its length on the wire; 0 for that of <paramref name="packet"/>.</param>
    /// <returns>False when the stream has failed, or the packet is too long for any reader.</returns>
    public bool TryWrite(ReadOnlySpan<byte> packet, long timestampNs, uint originalLength = 0)
    {
        if (packet.Length > CaptureReader.MaximumPacketLength || Failure != null)
        {
            return false;
        }

        originalLength = originalLength == 0 ? (uint)packet.Length : originalLength;
        if (Format == CaptureFormat.Pcapng)
        {
            WritePacketBlock(packet, timestampNs, originalLength);
        }
        else
        {
            WriteRecord(packet, timestampNs, originalLength);
        }

        return Failure == null;
    }

    /// <summary>Hands what is buffered to the stream.</summary>
    public void Flush()
    {
        WriteStream(_buffer.AsSpan(0, _used));
        _used = 0;
        try
        {
            _stream.Flush();
        }
        catch (IOException exception)
        {
            Failure ??= exception.Message;
        }
    }

    /// <summary>Flushes and closes the stream.</summary>
    public void Dispose()
    {
        Flush();
        try
        {
            _stream.Dispose();
        }
        catch (IOException exception)
        {
            Failure ??= exception.Message;
        }
    }

    private void WriteFileHeader()
    {
        Span<byte> header = Reserve(PcapReader.FileHeaderSize);
        BinaryPrimitives.WriteUInt32LittleEndian(
            header, Format == CaptureFormat.PcapNanoseconds ? PcapReader.MagicNanoseconds : PcapReader.MagicMicroseconds);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
        header[8..16].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], CaptureReader.MaximumPacketLength);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], CaptureReader.EthernetLinkType);
    }

    private void WriteRecord(ReadOnlySpan<byte> packet, long timestampNs, uint originalLength)
    {
        // Floor division, so that the fraction is positive before 1970 too.
        (long seconds, long fraction) = Math.DivRem(timestampNs, NanosecondsPerSecond);
        if (fraction < 0)
        {
            seconds--;
            fraction += NanosecondsPerSecond;
        }

        Span<byte> header = Reserve(PcapReader.RecordHeaderSize);
        BinaryPrimitives.WriteUInt32LittleEndian(header, unchecked((uint)seconds));
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)(Format == CaptureFormat.PcapNanoseconds ? fraction : fraction / 1000));
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], (uint)packet.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], originalLength);
        Append(packet);
    }

    // §4.1: length of the section not known (-1), no options. §4.2: one interface, times in nanoseconds.
    private void WriteSectionHeader()
    {
        const int sectionLength = 28;
        Span<byte> block = Reserve(sectionLength);
        BinaryPrimitives.WriteUInt32LittleEndian(block, PcapngReader.SectionHeaderBlock);
        BinaryPrimitives.WriteUInt32LittleEndian(block[4..], sectionLength);
        BinaryPrimitives.WriteUInt32LittleEndian(block[8..], PcapngReader.ByteOrderMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(block[12..], 1);
        BinaryPrimitives.WriteUInt16LittleEndian(block[14..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(block[16..], -1);
        BinaryPrimitives.WriteUInt32LittleEndian(block[24..], sectionLength);

        int interfaceLength = 20 + NanosecondResolution.Length;
        block = Reserve(interfaceLength);
        BinaryPrimitives.WriteUInt32LittleEndian(block, PcapngReader.InterfaceDescriptionBlock);
        BinaryPrimitives.WriteInt32LittleEndian(block[4..], interfaceLength);
        BinaryPrimitives.WriteUInt16LittleEndian(block[8..], CaptureReader.EthernetLinkType);
        BinaryPrimitives.WriteUInt16LittleEndian(block[10..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], CaptureReader.MaximumPacketLength);
        NanosecondResolution.CopyTo(block[16..]);
        BinaryPrimitives.WriteInt32LittleEndian(block[(interfaceLength - 4)..], interfaceLength);
    }

    // §4.3: header 28 with type and length, the bytes padded to 4, the length again.
    private void WritePacketBlock(ReadOnlySpan<byte> packet, long timestampNs, uint originalLength)
    {
        int padding = -packet.Length & 3;
        int length = 28 + packet.Length + padding + 4;
        Span<byte> header = Reserve(28);
        BinaryPrimitives.WriteUInt32LittleEndian(header, PcapngReader.EnhancedPacketBlock);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], (uint)((ulong)timestampNs >> 32));
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], (uint)timestampNs);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], (uint)packet.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[24..], originalLength);
        Append(packet);
        Span<byte> trailer = Reserve(padding + 4);
        trailer[..padding].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(trailer[padding..], length);
    }

    /// <summary>The next so many bytes of the buffer, to be written in full.</summary>
    private Span<byte> Reserve(int count)
    {
        if (count > BufferSize - _used)
        {
            WriteStream(_buffer.AsSpan(0, _used));
            _used = 0;
        }

        Span<byte> reserved = _buffer.AsSpan(_used, count);
        _used += count;
        return reserved;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= BufferSize)
        {
            bytes.CopyTo(Reserve(bytes.Length));
            return;
        }

        WriteStream(_buffer.AsSpan(0, _used));
        _used = 0;
        WriteStream(bytes);
    }

    private void WriteStream(ReadOnlySpan<byte> bytes)
    {
        if (Failure != null)
        {
            return;
        }

        try
        {
            _stream.Write(bytes);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            Failure = exception.Message;
        }
    }
}
