namespace Engine.Control;

/// <summary>OVS_DP_F_* of linux/openvswitch.h: what a control program asks of a datapath.</summary>
[Flags]
public enum DatapathFeatures : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The last attribute of an upcall need not be padded.</summary>
    Unaligned = 1,

    /// <summary>A port has several port ids for upcalls.</summary>
    VportPortIds = 2,

    /// <summary>Recirculation ids are shared with the host's traffic control.</summary>
    SharedRecirculation = 4,

    /// <summary>Upcalls go to the port id of the processor they are made on.</summary>
    PerProcessorUpcalls = 8,
}
