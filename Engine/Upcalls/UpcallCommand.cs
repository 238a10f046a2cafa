namespace Engine.Upcalls;

/// <summary>Why a packet goes up; values are OVS_PACKET_CMD_* of linux/openvswitch.h.</summary>
public enum UpcallCommand
{
    /// <summary>No flow matched (OVS_PACKET_CMD_MISS).</summary>
    Miss = 1,

    /// <summary>A userspace action asked for it (OVS_PACKET_CMD_ACTION).</summary>
    Action = 2,
}
