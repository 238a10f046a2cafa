using System.Buffers.Binary;

namespace Engine.Vports;

/// <summary>One interface of a pcapng section: the body of an interface description block (draft-ietf-opsawg-pcapng §4.2).</summary>
/// <remarks>
/// <code>link type 2 | reserved 2 | snapshot length 4 | options: code 2 | length 2 | value, padded to 4</code>
/// </remarks>
internal readonly struct CaptureInterface
{
    private const ushort EndOfOptions = 0;
    private const ushort TimeResolutionOption = 9;
    private const ushort TimeOffsetOption = 14;

    // §4.2, if_tsresol: the top bit tells a power of two from one of ten; 6, a microsecond, when there is none.
    private const byte PowerOfTwo = 0x80;
    private const byte DefaultResolution = 6;
    private const int NanosecondDigits = 9;
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>LINKTYPE_* as it stands in the file.</summary>
    public ushort LinkType { get; private init; }

    /// <summary>The most bytes captured of a packet; 0 for no limit.</summary>
    public uint SnapshotLength { get; private init; }

    /// <summary>if_tsresol.</summary>
    public byte Resolution { get; private init; }

    /// <summary>if_tsoffset: seconds to add to each time.</summary>
    public long OffsetSeconds { get; private init; }

    /// <summary>Reads a block's body of at least 8 bytes; false when an option reaches past its end.</summary>
    public static bool TryParse(ReadOnlySpan<byte> body, bool isBigEndian, out CaptureInterface description)
    {
        byte resolution = DefaultResolution;
        long offsetSeconds = 0;
        ReadOnlySpan<byte> options = body[8..];
        description = default;
        while (options.Length >= 4)
        {
            ushort code = isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(options) : BinaryPrimitives.ReadUInt16LittleEndian(options);
            ushort length = isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(options[2..]) : BinaryPrimitives.ReadUInt16LittleEndian(options[2..]);
            if (code == EndOfOptions)
            {
                break;
            }

            int padded = (length + 3) & ~3;
            if (padded > options.Length - 4)
            {
                return false;
            }

            ReadOnlySpan<byte> value = options.Slice(4, length);
            if (code == TimeResolutionOption && length == 1)
            {
                resolution = value[0];
            }
            else if (code == TimeOffsetOption && length == 8)
            {
                offsetSeconds = isBigEndian ? BinaryPrimitives.ReadInt64BigEndian(value) : BinaryPrimitives.ReadInt64LittleEndian(value);
            }

            options = options[(4 + padded)..];
        }

        description = new CaptureInterface
        {
            LinkType = isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(body) : BinaryPrimitives.ReadUInt16LittleEndian(body),
            SnapshotLength = isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(body[4..]) : BinaryPrimitives.ReadUInt32LittleEndian(body[4..]),
            Resolution = resolution,
            OffsetSeconds = offsetSeconds,
        };
        return true;
    }

    /// <summary>Converts a time in this interface's units to nanoseconds since 1970-01-01 UTC, rounded down. What no 64 bits can hold wraps.</summary>
    public long ToNanoseconds(ulong units)
    {
        int exponent = Resolution & ~PowerOfTwo;
        ulong nanoseconds;
        if ((Resolution & PowerOfTwo) != 0)
        {
            nanoseconds = exponent >= 128 ? 0 : (ulong)(((UInt128)units * NanosecondsPerSecond) >> exponent);
        }
        else if (exponent <= NanosecondDigits)
        {
            nanoseconds = unchecked(units * PowerOfTen(NanosecondDigits - exponent));
        }
        else
        {
            // 10^19 is the largest power in 64 bits: any finer unit makes less than two nanoseconds of all 64 bits.
            nanoseconds = exponent - NanosecondDigits > 19 ? 0 : units / PowerOfTen(exponent - NanosecondDigits);
        }

        return unchecked((long)nanoseconds + (OffsetSeconds * NanosecondsPerSecond));
    }

    private static ulong PowerOfTen(int exponent)
    {
        ulong power = 1;
        for (int i = 0; i < exponent; i++)
        {
            power *= 10;
        }

        return power;
    }
}
