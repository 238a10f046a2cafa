namespace Engine.Actions;

/// <summary>How a step stands in its list.</summary>
[Flags]
internal enum ActionStepFlags : byte
{
    None = 0,

    /// <summary>Nothing follows in the list, so the packet need not be copied.</summary>
    Last = 1,

    /// <summary>The nested list changes packet or key and something follows: it gets a key of its own. For check_pkt_len, the list for short packets.</summary>
    NeedsKey = 2,

    /// <summary>check_pkt_len: as <see cref="NeedsKey"/> for the list for long packets.</summary>
    LongNeedsKey = 4,
}
