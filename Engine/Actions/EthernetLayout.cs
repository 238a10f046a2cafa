namespace Engine.Actions;

/// <summary>Where the parts of an Ethernet header stand.</summary>
internal static class EthernetLayout
{
    /// <summary>Destination, source, type.</summary>
    public const int HeaderSize = 14;

    /// <summary>Destination and source.</summary>
    public const int AddressesSize = 12;

    /// <summary>One VLAN tag: TPID and TCI.</summary>
    public const int TagSize = 4;

    /// <summary>Header with one tag.</summary>
    public const int TaggedHeaderSize = HeaderSize + TagSize;
}
