namespace Engine.Vports;

/// <summary>What kind of fault ended the reading of a capture.</summary>
public enum CaptureFaultKind
{
    /// <summary>None: the capture ended where it should.</summary>
    None,

    /// <summary>The first bytes are of no known capture format or of an unknown version of one.</summary>
    NotACapture,

    /// <summary>Packets start with something that this engine cannot take.</summary>
    UnsupportedLinkType,

    /// <summary>The capture ends in the middle of something.</summary>
    Truncated,

    /// <summary>A length or a mark contradicts the format.</summary>
    Corrupt,

    /// <summary>The stream under the reader failed.</summary>
    Unreadable,
}

/// <summary>Why and where the reading of a capture ended before its time.</summary>
/// <param name="Kind">What kind of fault; <see cref="CaptureFaultKind.None"/> when there was none.</param>
/// <param name="Offset">Byte offset of the header, record or block that could not be used.</param>
/// <param name="Cause">A clause without a final period; null when there was no fault.</param>
public readonly record struct CaptureFault(CaptureFaultKind Kind, long Offset, string? Cause)
{
    /// <summary>Whether everything before <see cref="Offset"/> was good: the capture is damaged, not of the wrong kind.</summary>
    public bool IsDamage => Kind is CaptureFaultKind.Truncated or CaptureFaultKind.Corrupt or CaptureFaultKind.Unreadable;

    /// <inheritdoc/>
    public override string ToString() => Kind == CaptureFaultKind.None ? "no fault" : $"byte {Offset}: {Cause}";
}
