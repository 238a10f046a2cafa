namespace Engine.Actions;

// Numbers of linux/openvswitch.h and of the headers that actions deal with.
internal sealed partial class ActionCompiler
{
    private const int EthernetHeaderSize = 14;
    private const ushort VlanCfi = 0x1000;

    // OVS_USERSPACE_ATTR_*
    private const int UserspacePortId = 1;
    private const int UserspaceUserdata = 2;
    private const int UserspaceEgressTunnelPort = 3;
    private const int UserspaceActions = 4;

    // OVS_HASH_ALG_*
    private const uint HashL4 = 0;
    private const uint HashSymmetricL4 = 1;

    // OVS_SAMPLE_ATTR_*; ARG exists inside the kernel only, and is accepted there without effect.
    private const int SampleProbability = 1;
    private const int SampleActions = 2;
    private const int SampleMaximum = 3;

    // OVS_CHECK_PKT_LEN_ATTR_*; the same holds for ARG.
    private const int CheckLength = 1;
    private const int CheckIfGreater = 2;
    private const int CheckIfLessOrEqual = 3;
    private const int CheckMaximum = 4;

    // OVS_DEC_TTL_ATTR_*
    private const int DecrementTtlAction = 1;

    // Addresses, options and flags of a tunnel key, each with its header.
    private const int MaximumTunnelSize = 512;

    // OVS_MPLS_L3_TUNNEL_FLAG_MASK
    private const ushort MplsBehindEthernet = 1;
}
