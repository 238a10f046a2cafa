namespace Engine.Flows;

/// <summary>The kernel's TUNNEL_* bits (include/net/ip_tunnels.h up to Linux 6.9) in host order.</summary>
[Flags]
public enum TunnelKeyFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The outer header has a checksum.</summary>
    Checksum = 0x0001,

    /// <summary>The tunnel id is meaningful.</summary>
    Key = 0x0004,

    /// <summary>The GRE header has a sequence number.</summary>
    Sequence = 0x0008,

    /// <summary>The outer header has the DF bit.</summary>
    DontFragment = 0x0100,

    /// <summary>Control frame.</summary>
    Oam = 0x0200,

    /// <summary>A Geneve option is critical.</summary>
    CriticalOption = 0x0400,

    /// <summary>The options are Geneve TLVs.</summary>
    GeneveOptions = 0x0800,

    /// <summary>The options are the VXLAN group policy.</summary>
    VxlanOptions = 0x1000,

    /// <summary>The options are ERSPAN metadata.</summary>
    ErspanOptions = 0x4000,

    /// <summary>There are options of some kind (TUNNEL_OPTIONS_PRESENT).</summary>
    AnyOptions = GeneveOptions | VxlanOptions | ErspanOptions,
}
