using System.Buffers.Binary;

namespace Engine.Vports;

/// <summary>Reads pcapng (draft-ietf-opsawg-pcapng): blocks of a type, a length, a body and the length again, in sections of either byte order.</summary>
/// <remarks>
/// <para>Packets come from enhanced (§4.3), simple (§4.4) and obsolete packet blocks (appendix A); section headers (§4.1) and interface
/// descriptions (§4.2) say how to take them; every other block is skipped.</para>
/// <para>An interface of an unsupported link type is a fault when a packet comes from it, or at the end when there was no other interface.</para>
/// </remarks>
internal sealed class PcapngReader : CaptureReader
{
    public const uint SectionHeaderBlock = 0x0a0d0d0a;
    public const uint InterfaceDescriptionBlock = 1;
    public const uint ObsoletePacketBlock = 2;
    public const uint SimplePacketBlock = 3;
    public const uint EnhancedPacketBlock = 6;
    public const uint ByteOrderMagic = 0x1a2b3c4d;

    // §3.1: type, length, body, length.
    private const int BlockHeaderSize = 8;
    private const int BlockOverhead = 12;
    private const int SectionHeaderSize = 28;

    // Wireshark's limit; a block that must be held whole and is longer is taken for damage.
    private const uint MaximumBlockLength = 16 << 20;

    private readonly List<CaptureInterface> _interfaces = [];
    private bool _isBigEndian;
    private bool _sawPacket;
    private bool _sawSupportedInterface;
    private CaptureFault _unsupportedInterface;

    private PcapngReader(CaptureBuffer buffer)
        : base(buffer, CaptureFormat.Pcapng)
    {
    }

    /// <summary>Reads the first section header; null and a fault when that cannot be done.</summary>
    public static PcapngReader? Open(CaptureBuffer buffer, out CaptureFault fault)
    {
        PcapngReader reader = new(buffer);
        bool opened = reader.TryReadSectionHeader();
        fault = reader.Fault;
        return opened ? reader : null;
    }

    public override bool TryRead(out CapturedPacket packet)
    {
        packet = default;
        while (Fault.Kind == CaptureFaultKind.None)
        {
            if (!Buffer.TryFill(BlockHeaderSize))
            {
                End();
                return false;
            }

            uint type = ReadUInt32(Buffer.Bytes, 0);
            switch (type)
            {
                case SectionHeaderBlock:
                    TryReadSectionHeader();
                    break;
                case InterfaceDescriptionBlock:
                    if (TryHoldBlock("an interface description block", BlockOverhead + 8, out ReadOnlySpan<byte> block))
                    {
                        ReadInterface(block);
                    }

                    break;
                case EnhancedPacketBlock:
                case ObsoletePacketBlock:
                    if (TryHoldBlock("a packet block", BlockOverhead + 20, out block))
                    {
                        return TryReadPacket(block, type, out packet);
                    }

                    break;
                case SimplePacketBlock:
                    if (TryHoldBlock("a simple packet block", BlockOverhead + 4, out block))
                    {
                        return TryReadSimplePacket(block, out packet);
                    }

                    break;
                default:
                    SkipBlock();
                    break;
            }
        }

        return false;
    }

    /// <summary>The stream has no whole block header left: the proper end when nothing is left.</summary>
    private void End()
    {
        if (Buffer.Available != 0 || Buffer.Failure != null)
        {
            Fault = EndOf(Buffer, "the header of a block", BlockHeaderSize);
        }
        else if (!_sawPacket && !_sawSupportedInterface)
        {
            Fault = _unsupportedInterface;
        }
    }

    private bool TryReadSectionHeader()
    {
        if (!Buffer.TryFill(SectionHeaderSize))
        {
            Fault = EndOf(Buffer, "a section header block", SectionHeaderSize);
            return false;
        }

        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(Buffer.Bytes[8..]);
        _isBigEndian = magic == BinaryPrimitives.ReverseEndianness(ByteOrderMagic);
        if (!_isBigEndian && magic != ByteOrderMagic)
        {
            Fault = new(KindAtSection, Buffer.Offset, $"corrupt: a section header has the byte-order magic {Convert.ToHexStringLower(Buffer.Bytes[8..12])}");
            return false;
        }

        if (!TryHoldBlock("a section header block", SectionHeaderSize, out ReadOnlySpan<byte> block))
        {
            return false;
        }

        // §4.1: 1.2 was written by some and is 1.0.
        (ushort major, ushort minor) = (ReadUInt16(block, 12), ReadUInt16(block, 14));
        if ((major, minor) is not ((1, 0) or (1, 2)))
        {
            Fault = new(KindAtSection, Buffer.Offset, $"pcapng version {major}.{minor}: only 1.0 is known");
            return false;
        }

        _interfaces.Clear();
        Buffer.Advance(block.Length);
        return true;
    }

    // A wrong header at the very start says that the file is something else.
    private CaptureFaultKind KindAtSection => Buffer.Offset == 0 ? CaptureFaultKind.NotACapture : CaptureFaultKind.Corrupt;

    private void ReadInterface(ReadOnlySpan<byte> block)
    {
        if (!CaptureInterface.TryParse(block[BlockHeaderSize..^4], _isBigEndian, out CaptureInterface description))
        {
            Fault = new(CaptureFaultKind.Corrupt, Buffer.Offset, "corrupt: an option of an interface description is longer than the block");
            return;
        }

        _interfaces.Add(description);
        if (description.LinkType == EthernetLinkType)
        {
            _sawSupportedInterface = true;
        }
        else if (_unsupportedInterface.Kind == CaptureFaultKind.None)
        {
            _unsupportedInterface = Unsupported(Buffer.Offset, description.LinkType);
        }

        Buffer.Advance(block.Length);
    }

    // Body: interface 4 (obsolete: interface 2, drops 2) | time 4 + 4 | captured length 4 | original length 4 | bytes, padded to 4 | options.
    private bool TryReadPacket(ReadOnlySpan<byte> block, uint type, out CapturedPacket packet)
    {
        uint interfaceIndex = type == EnhancedPacketBlock ? ReadUInt32(block, 8) : ReadUInt16(block, 8);
        ulong time = ((ulong)ReadUInt32(block, 12) << 32) | ReadUInt32(block, 16);
        uint length = ReadUInt32(block, 20);
        uint originalLength = ReadUInt32(block, 24);
        return TryDeliver(block, 28, interfaceIndex, length, originalLength, time, out packet);
    }

    // Body: original length 4 | bytes, padded to 4. §4.4: of interface 0, no time, and cut by the snapshot length alone.
    private bool TryReadSimplePacket(ReadOnlySpan<byte> block, out CapturedPacket packet)
    {
        uint originalLength = ReadUInt32(block, 8);
        uint snapshotLength = _interfaces.Count > 0 ? _interfaces[0].SnapshotLength : 0;
        uint length = snapshotLength == 0 ? originalLength : Math.Min(originalLength, snapshotLength);
        return TryDeliver(block, 12, 0, length, originalLength, null, out packet);
    }

    private bool TryDeliver(
        ReadOnlySpan<byte> block, int start, uint interfaceIndex, uint length, uint originalLength, ulong? time, out CapturedPacket packet)
    {
        packet = default;
        if (interfaceIndex >= (uint)_interfaces.Count)
        {
            Fault = new(CaptureFaultKind.Corrupt, Buffer.Offset, $"corrupt: a packet block names interface {interfaceIndex}, and {_interfaces.Count} are described");
            return false;
        }

        if (length > (uint)(block.Length - start - 4) || length > MaximumPacketLength)
        {
            Fault = new(CaptureFaultKind.Corrupt, Buffer.Offset, $"corrupt: a packet block of {block.Length} bytes claims a packet of {length} bytes");
            return false;
        }

        CaptureInterface source = _interfaces[(int)interfaceIndex];
        if (source.LinkType != EthernetLinkType)
        {
            Fault = Unsupported(Buffer.Offset, source.LinkType);
            return false;
        }

        packet = new CapturedPacket
        {
            Bytes = block.Slice(start, (int)length),
            TimestampNs = time is { } units ? source.ToNanoseconds(units) : 0,
            OriginalLength = originalLength,
        };
        _sawPacket = true;
        Buffer.Advance(block.Length);
        return true;
    }

    /// <summary>Brings the block at the start of the window into it whole and checks its two lengths; sets the fault when that cannot be done.</summary>
    private bool TryHoldBlock(string what, int minimumLength, out ReadOnlySpan<byte> block)
    {
        block = default;
        if (!TryReadBlockLength(what, (uint)minimumLength, MaximumBlockLength, out uint length))
        {
            return false;
        }

        if (!Buffer.TryFill((int)length))
        {
            Fault = EndOf(Buffer, what, length);
            return false;
        }

        block = Buffer.Bytes[..(int)length];
        return CheckTrailer(Buffer.Offset, length, ReadUInt32(block, (int)length - 4));
    }

    private void SkipBlock()
    {
        long offset = Buffer.Offset;
        if (!TryReadBlockLength("a block", BlockOverhead, uint.MaxValue, out uint length))
        {
            return;
        }

        if (!Buffer.TrySkip(length - 4L) || !Buffer.TryFill(4))
        {
            long had = Buffer.Offset + Buffer.Available - offset;
            Fault = Buffer.Failure is { } failure
                ? new(CaptureFaultKind.Unreadable, offset, $"the file cannot be read: {failure}")
                : new(CaptureFaultKind.Truncated, offset, $"truncated: a block takes {length} bytes and the file ends after {had} of them");
            return;
        }

        if (CheckTrailer(offset, length, ReadUInt32(Buffer.Bytes, 0)))
        {
            Buffer.Advance(4);
        }
    }

    private bool TryReadBlockLength(string what, uint minimum, uint maximum, out uint length)
    {
        length = ReadUInt32(Buffer.Bytes, 4);
        if (length >= minimum && length <= maximum && length % 4 == 0)
        {
            return true;
        }

        Fault = new(CaptureFaultKind.Corrupt, Buffer.Offset, $"corrupt: {what} cannot have {length} bytes");
        return false;
    }

    private bool CheckTrailer(long offset, uint length, uint trailer)
    {
        if (length == trailer)
        {
            return true;
        }

        Fault = new(CaptureFaultKind.Corrupt, offset, $"corrupt: a block begins with the length {length} and ends with {trailer}");
        return false;
    }

    private uint ReadUInt32(ReadOnlySpan<byte> bytes, int at) =>
        _isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]) : BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private ushort ReadUInt16(ReadOnlySpan<byte> bytes, int at) =>
        _isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]) : BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);
}
