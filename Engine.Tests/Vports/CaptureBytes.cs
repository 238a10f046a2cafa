using System.Buffers.Binary;
using Engine.Vports;

namespace Engine.Tests.Vports;

/// <summary>Writes captures byte by byte in either byte order, also such as no writer would: the slow twin of the reader.</summary>
internal sealed class CaptureBytes(bool isBigEndian)
{
    private readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    public byte[] ToArray() => [.. _bytes];

    /// <summary>Reads all packets, and the fault at the end.</summary>
    public static (List<(byte[] Bytes, long TimestampNs, uint OriginalLength)> Packets, CaptureFault Fault) Read(byte[] bytes, int chunk = int.MaxValue)
    {
        List<(byte[], long, uint)> packets = [];
        if (!CaptureReader.TryOpen(new ChunkedStream(bytes, chunk), out CaptureReader? reader, out CaptureFault fault))
        {
            return (packets, fault);
        }

        while (reader.TryRead(out CapturedPacket packet))
        {
            packets.Add((packet.Bytes.ToArray(), packet.TimestampNs, packet.OriginalLength));
        }

        return (packets, reader.Fault);
    }

    public CaptureBytes U16(int value)
    {
        Span<byte> field = stackalloc byte[2];
        if (isBigEndian)
        {
            BinaryPrimitives.WriteUInt16BigEndian(field, (ushort)value);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(field, (ushort)value);
        }

        _bytes.AddRange(field);
        return this;
    }

    public CaptureBytes U32(uint value)
    {
        Span<byte> field = stackalloc byte[4];
        if (isBigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(field, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(field, value);
        }

        _bytes.AddRange(field);
        return this;
    }

    public CaptureBytes U64(ulong value) => isBigEndian ? U32((uint)(value >> 32)).U32((uint)value) : U32((uint)value).U32((uint)(value >> 32));

    public CaptureBytes Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public CaptureBytes Pad()
    {
        // Not zero, so that a reader that takes padding for content is seen.
        while (_bytes.Count % 4 != 0)
        {
            _bytes.Add(0xa5);
        }

        return this;
    }

    public CaptureBytes PcapHeader(uint magic = 0xa1b2c3d4, int major = 2, int minor = 4, uint linkType = 1) =>
        U32(magic).U16(major).U16(minor).U32(0).U32(0).U32(65535).U32(linkType);

    public CaptureBytes Record(uint seconds, uint fraction, byte[] packet, uint? originalLength = null) =>
        U32(seconds).U32(fraction).U32((uint)packet.Length).U32(originalLength ?? (uint)packet.Length).Raw(packet);

    /// <summary>A pcapng block of any type; the body's length is a multiple of 4.</summary>
    public CaptureBytes Block(uint type, Action<CaptureBytes> write)
    {
        CaptureBytes body = new(isBigEndian);
        write(body);
        body.Pad();
        uint length = (uint)body.Length + 12;
        return U32(type).U32(length).Raw([.. body._bytes]).U32(length);
    }

    public CaptureBytes Section(int minor = 0) => Block(0x0a0d0d0a, body => body.U32(0x1a2b3c4d).U16(1).U16(minor).U64(ulong.MaxValue));

    public CaptureBytes Interface(int linkType = 1, uint snapshotLength = 0, byte? resolution = null, long? offset = null) => Block(1, body =>
    {
        body.U16(linkType).U16(0).U32(snapshotLength);

        // An option that means nothing here comes first: if_name.
        body.U16(2).U16(5).Raw("trunk"u8).Pad();
        if (resolution is { } value)
        {
            body.U16(9).U16(1).Raw(value).Pad();
        }

        if (offset is { } seconds)
        {
            body.U16(14).U16(8).U64((ulong)seconds);
        }

        body.U16(0).U16(0);
    });

    public CaptureBytes Enhanced(uint source, ulong time, byte[] packet, uint? originalLength = null) => Block(6, body => body
        .U32(source).U32((uint)(time >> 32)).U32((uint)time).U32((uint)packet.Length).U32(originalLength ?? (uint)packet.Length).Raw(packet).Pad()
        .U16(2).U16(4).U32(0).U16(0).U16(0));

    public CaptureBytes Obsolete(int source, ulong time, byte[] packet) => Block(2, body => body
        .U16(source).U16(0xffff).U32((uint)(time >> 32)).U32((uint)time).U32((uint)packet.Length).U32((uint)packet.Length).Raw(packet));

    public CaptureBytes Simple(byte[] packet, uint? originalLength = null) => Block(3, body => body.U32(originalLength ?? (uint)packet.Length).Raw(packet));

    public CaptureBytes Unknown(int length) => Block(0x0bad, body => body.Raw(new byte[length]));

    /// <summary>A stream that gives a few bytes at a time, as a pipe may.</summary>
    private sealed class ChunkedStream(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, chunk)]);
    }
}
