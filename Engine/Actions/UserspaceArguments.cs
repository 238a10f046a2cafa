namespace Engine.Actions;

/// <summary>What a userspace action says about its upcall (OVS_USERSPACE_ATTR_*).</summary>
public readonly ref struct UserspaceArguments
{
    internal UserspaceArguments(uint portId, bool hasUserdata, ReadOnlySpan<byte> userdata, bool hasActions, ReadOnlySpan<byte> actions, bool hasEgressTunnelPort, uint egressTunnelPort)
    {
        PortId = portId;
        HasUserdata = hasUserdata;
        Userdata = userdata;
        HasActions = hasActions;
        Actions = actions;
        HasEgressTunnelPort = hasEgressTunnelPort;
        EgressTunnelPort = egressTunnelPort;
    }

    /// <summary>The netlink port id that gets the upcall, never 0.</summary>
    public uint PortId { get; }

    /// <summary>Whether the action carries userdata, which may be empty.</summary>
    public bool HasUserdata { get; }

    /// <summary>Opaque bytes that go into OVS_PACKET_ATTR_USERDATA.</summary>
    public ReadOnlySpan<byte> Userdata { get; }

    /// <summary>Whether the upcall carries the actions (OVS_USERSPACE_ATTR_ACTIONS).</summary>
    public bool HasActions { get; }

    /// <summary>The actions of the list in which the userspace action stands, as netlink attributes: OVS_PACKET_ATTR_ACTIONS.</summary>
    public ReadOnlySpan<byte> Actions { get; }

    /// <summary>Whether the upcall asks for the tunnel key that output to <see cref="EgressTunnelPort"/> would use.</summary>
    public bool HasEgressTunnelPort { get; }

    /// <summary>Port whose tunnel key is asked for.</summary>
    public uint EgressTunnelPort { get; }
}
