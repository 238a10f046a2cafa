using System.Buffers.Binary;

namespace Engine.Vports;

/// <summary>Reads classic pcap (draft-ietf-opsawg-pcap): a file header of 24 bytes, then records of 16 bytes and the packet's bytes.</summary>
/// <remarks>
/// <code>
/// file    magic 4 | major 2 | minor 2 | reserved 8 | snapshot length 4 | link type 4
/// record  seconds 4 | micro- or nanoseconds 4 | captured length 4 | original length 4 | bytes
/// </code>
/// The snapshot length is not held against the records: writers get it wrong, and libpcap's limit is enough to tell damage.
/// </remarks>
internal sealed class PcapReader : CaptureReader
{
    public const uint MagicMicroseconds = 0xa1b2c3d4;
    public const uint MagicNanoseconds = 0xa1b23c4d;
    public const int FileHeaderSize = 24;
    public const int RecordHeaderSize = 16;

    // The upper bits of the link type tell of a frame check sequence; libpcap takes the lower 26 as the type.
    private const uint LinkTypeMask = 0x03ff_ffff;

    private readonly bool _isBigEndian;
    private readonly uint _fractionToNs;

    private PcapReader(CaptureBuffer buffer, CaptureFormat format, bool isBigEndian)
        : base(buffer, format)
    {
        _isBigEndian = isBigEndian;
        _fractionToNs = format == CaptureFormat.PcapNanoseconds ? 1u : 1000u;
    }

    /// <summary>Reads the file header at the start of the buffer; null and a fault when that cannot be done.</summary>
    public static PcapReader? Open(CaptureBuffer buffer, out CaptureFault fault)
    {
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(buffer.Bytes);
        bool isBigEndian = BinaryPrimitives.ReverseEndianness(magic) is MagicMicroseconds or MagicNanoseconds;
        if (isBigEndian)
        {
            magic = BinaryPrimitives.ReverseEndianness(magic);
        }

        if (magic is not (MagicMicroseconds or MagicNanoseconds))
        {
            fault = new(CaptureFaultKind.NotACapture, 0, buffer.Bytes is [0x1f, 0x8b, ..]
                ? "the file is compressed with gzip, not a pcap or pcapng capture as it stands"
                : $"neither a pcap nor a pcapng capture: it starts with {Convert.ToHexStringLower(buffer.Bytes[..4])}");
            return null;
        }

        if (!buffer.TryFill(FileHeaderSize))
        {
            fault = EndOf(buffer, "the file header", FileHeaderSize);
            return null;
        }

        ReadOnlySpan<byte> header = buffer.Bytes;
        ushort major = isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(header[4..]) : BinaryPrimitives.ReadUInt16LittleEndian(header[4..]);
        ushort minor = isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(header[6..]) : BinaryPrimitives.ReadUInt16LittleEndian(header[6..]);
        if ((major, minor) is not (2, 4))
        {
            fault = new(CaptureFaultKind.NotACapture, 4, $"pcap version {major}.{minor}: only 2.4 is known");
            return null;
        }

        uint linkType = ReadUInt32(header[20..], isBigEndian) & LinkTypeMask;
        if (linkType != EthernetLinkType)
        {
            fault = Unsupported(20, linkType);
            return null;
        }

        buffer.Advance(FileHeaderSize);
        fault = default;
        CaptureFormat format = magic == MagicNanoseconds ? CaptureFormat.PcapNanoseconds : CaptureFormat.PcapMicroseconds;
        return new PcapReader(buffer, format, isBigEndian);
    }

    public override bool TryRead(out CapturedPacket packet)
    {
        packet = default;
        if (Fault.Kind != CaptureFaultKind.None)
        {
            return false;
        }

        if (!Buffer.TryFill(RecordHeaderSize))
        {
            // Nothing left at all is the proper end.
            if (Buffer.Available != 0 || Buffer.Failure != null)
            {
                Fault = EndOf(Buffer, "the header of a record", RecordHeaderSize);
            }

            return false;
        }

        ReadOnlySpan<byte> header = Buffer.Bytes;
        uint seconds = ReadUInt32(header, _isBigEndian);
        uint fraction = ReadUInt32(header[4..], _isBigEndian);
        uint length = ReadUInt32(header[8..], _isBigEndian);
        uint originalLength = ReadUInt32(header[12..], _isBigEndian);
        if (length > MaximumPacketLength)
        {
            Fault = new(CaptureFaultKind.Corrupt, Buffer.Offset, $"corrupt: a record claims {length} bytes, more than the {MaximumPacketLength} that a packet can have");
            return false;
        }

        int size = RecordHeaderSize + (int)length;
        if (!Buffer.TryFill(size))
        {
            Fault = EndOf(Buffer, "a record", size);
            return false;
        }

        packet = new CapturedPacket
        {
            Bytes = Buffer.Bytes[RecordHeaderSize..size],
            TimestampNs = (seconds * 1_000_000_000L) + ((long)fraction * _fractionToNs),
            OriginalLength = originalLength,
        };
        Buffer.Advance(size);
        return true;
    }

    private static uint ReadUInt32(ReadOnlySpan<byte> bytes, bool isBigEndian) =>
        isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
