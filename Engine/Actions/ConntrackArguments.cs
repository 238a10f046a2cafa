using Engine.Primitives;

namespace Engine.Actions;

/// <summary>The arguments of a ct action (OVS_CT_ATTR_*), checked.</summary>
public sealed record ConntrackArguments
{
    /// <summary>Whether the packet is IPv6 rather than IPv4.</summary>
    public bool IsIpv6 { get; init; }

    /// <summary>Whether the connection is committed to the table (COMMIT, FORCE_COMMIT).</summary>
    public bool Commit { get; init; }

    /// <summary>Whether a connection whose original direction is the other one is replaced (FORCE_COMMIT).</summary>
    public bool Force { get; init; }

    /// <summary>Conntrack zone.</summary>
    public ushort Zone { get; init; }

    /// <summary>Bits for the mark of the connection; matters where <see cref="MarkMask"/> has ones.</summary>
    public uint Mark { get; init; }

    /// <summary>Which bits of the mark are set; 0 for none.</summary>
    public uint MarkMask { get; init; }

    /// <summary>Bits for the labels of the connection.</summary>
    public Ipv6Address Labels { get; init; }

    /// <summary>Which bits of the labels are set; all zero for none.</summary>
    public Ipv6Address LabelsMask { get; init; }

    /// <summary>Name of the application level gateway; null for none.</summary>
    public string? Helper { get; init; }

    /// <summary>IPCT_* events to report; null for all.</summary>
    public uint? EventMask { get; init; }

    /// <summary>Name of the timeout policy; null for none.</summary>
    public string? Timeout { get; init; }

    /// <summary>Address translation; null for none.</summary>
    public ConntrackNat? Nat { get; init; }
}
