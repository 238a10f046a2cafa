namespace Engine.Vports;

/// <summary>One packet of a capture. <see cref="Bytes"/> holds until the next read.</summary>
public readonly ref struct CapturedPacket
{
    /// <summary>What was captured of the packet, from its Ethernet header on.</summary>
    public ReadOnlySpan<byte> Bytes { get; init; }

    /// <summary>When it was captured, in nanoseconds since 1970-01-01 UTC; 0 where the capture does not say.</summary>
    public long TimestampNs { get; init; }

    /// <summary>How long the packet was on the wire, in bytes; more than <see cref="Bytes"/> holds when the capture cut it.</summary>
    public uint OriginalLength { get; init; }
}
