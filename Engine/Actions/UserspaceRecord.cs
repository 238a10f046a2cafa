using System.Runtime.InteropServices;

namespace Engine.Actions;

/// <summary>The arguments of a userspace step, followed by its userdata. 20 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UserspaceRecord
{
    public const int Size = 20;

    /// <summary>OVS_USERSPACE_ATTR_EGRESS_TUN_PORT.</summary>
    public uint EgressTunnelPort;

    /// <summary>Where the list that holds the action starts in <see cref="ActionList.Attributes"/>.</summary>
    public int ActionsOffset;

    /// <summary>Its length, or -1 when the upcall does not carry the actions.</summary>
    public int ActionsLength;

    /// <summary>Length of the userdata, or -1 when there is none.</summary>
    public int UserdataLength;

    /// <summary>1 when <see cref="EgressTunnelPort"/> was given.</summary>
    public int HasEgressTunnelPort;
}
