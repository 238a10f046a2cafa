using System.Diagnostics.CodeAnalysis;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;

namespace Engine.Upcalls;

/// <summary>A packet on its way to user space: its key, why it goes, and what the action that sent it said.</summary>
/// <remarks>Lives in a slot of an <see cref="UpcallQueue"/>; valid until the handler returns.</remarks>
public unsafe struct Upcall
{
    private FlowKey _key;
    private Packet* _packet;

    // Buffers of the slot, kept from one upcall to the next; a length of -1 says there is nothing.
    private byte[]? _userdata;
    private int _userdataLength;
    private byte[]? _actions;
    private int _actionsLength;
    private byte[]? _egressTunnel;
    private int _egressTunnelLength;

    /// <summary>Why the packet goes up.</summary>
    public UpcallCommand Command { get; internal set; }

    /// <summary>The netlink port id the action named; 0 for a miss.</summary>
    public uint PortId { get; internal set; }

    /// <summary>Whether the action carries userdata, which may be empty.</summary>
    public readonly bool HasUserdata => _userdataLength >= 0;

    /// <summary>OVS_USERSPACE_ATTR_USERDATA, empty if there is none.</summary>
    public readonly ReadOnlySpan<byte> Userdata => _userdata.AsSpan(0, Math.Max(0, _userdataLength));

    /// <summary>Whether the action asked for the actions of its list.</summary>
    public readonly bool HasActions => _actionsLength >= 0;

    /// <summary>The actions of the list as netlink attributes (OVS_PACKET_ATTR_ACTIONS), empty if not asked for.</summary>
    public readonly ReadOnlySpan<byte> Actions => _actions.AsSpan(0, Math.Max(0, _actionsLength));

    /// <summary>The tunnel key the packet would leave with (payload of OVS_PACKET_ATTR_EGRESS_TUN_KEY), empty if not asked for or not known.</summary>
    public readonly ReadOnlySpan<byte> EgressTunnel => _egressTunnel.AsSpan(0, _egressTunnelLength);

    /// <summary>Length of the packet before it was cut by trunc, 0 if it was not (OVS_PACKET_ATTR_LEN).</summary>
    public int OriginalLength { get; internal set; }

    /// <summary>How much of the packet, or of each segment of a super-frame, trunc has left. The packet is whole, since its checksum is over all of it.</summary>
    internal int KeptLength { get; set; }

    /// <summary>The key of the packet, as the actions so far left it.</summary>
    [UnscopedRef]
    public ref FlowKey Key => ref _key;

    /// <summary>The packet, as far as trunc has left it.</summary>
    public readonly Span<byte> Bytes => _packet->Bytes[..Math.Min(_packet->Length, KeptLength)];

    /// <summary>Flow hash of the packet as OVS_PACKET_ATTR_HASH carries it; 0 if not computed.</summary>
    public readonly ulong FlowHash => _packet->FlowHash;

    /// <summary>Largest L3 length of the fragments the packet was put together from, 0 if it was not (OVS_PACKET_ATTR_MRU).</summary>
    public readonly ushort MaximumReceiveUnit => _packet->MaximumReceiveUnit;

    /// <summary>The packet with its metadata; null once the handler has taken it.</summary>
    internal Packet* Packet { readonly get => _packet; set => _packet = value; }

    /// <summary>Fills the slot for a packet; what only an action says is left out.</summary>
    internal void Initialize(Packet* packet, in FlowKey key, UpcallCommand command)
    {
        _packet = packet;
        _key = key;
        Command = command;
        PortId = 0;
        _egressTunnelLength = 0;
        OriginalLength = 0;
        KeptLength = int.MaxValue;
        _userdataLength = -1;
        _actionsLength = -1;
    }

    internal void SetUserdata(ReadOnlySpan<byte> userdata) => _userdataLength = Store(ref _userdata, userdata);

    internal void SetActions(ReadOnlySpan<byte> actions) => _actionsLength = Store(ref _actions, actions);

    internal void SetEgressTunnel(in FlowKey tunnel)
    {
        Span<byte> buffer = stackalloc byte[512];
        NetlinkWriter writer = new(buffer);
        FlowKey.WriteTunnel(in tunnel, (int)OvsPacketAttribute.EgressTunnelKey, ref writer);
        _egressTunnelLength = Store(ref _egressTunnel, writer.Written[NetlinkAttribute.HeaderSize..]);
    }

    private static int Store(ref byte[]? buffer, ReadOnlySpan<byte> bytes)
    {
        if (buffer is null || buffer.Length < bytes.Length)
        {
            buffer = new byte[Math.Max(64, bytes.Length)];
        }

        bytes.CopyTo(buffer);
        return bytes.Length;
    }
}
