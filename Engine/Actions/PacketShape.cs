using System.Numerics;
using Engine.Flows;

namespace Engine.Actions;

/// <summary>What validation knows about the packet at one place in a list: which headers the actions before left in front.</summary>
internal struct PacketShape
{
    private const ushort Ipv4 = 0x0800;
    private const ushort Arp = 0x0806;
    private const ushort ReverseArp = 0x8035;
    private const ushort Ipv6 = 0x86dd;
    private const ushort MplsUnicast = 0x8847;
    private const ushort MplsMulticast = 0x8848;
    private const ushort VlanCfi = 0x1000;

    /// <summary>Ethernet type in host order; 0 when it is not known.</summary>
    public ushort EtherType;

    /// <summary>Outer tag in host order; the CFI bit says that there is one.</summary>
    public ushort VlanTci;

    /// <summary>Labels known to be there. Wraps below zero when the key knows none, as the kernel's counter.</summary>
    public uint MplsLabels;

    /// <summary>Whether there is an Ethernet header.</summary>
    public bool HasEthernet;

    public readonly bool HasVlan => (VlanTci & VlanCfi) != 0;

    public readonly bool IsIp => EtherType is Ipv4 or Ipv6;

    public readonly bool IsIpv4 => EtherType == Ipv4;

    public readonly bool IsIpv6 => EtherType == Ipv6;

    public readonly bool IsMpls => IsMplsType(EtherType);

    /// <summary>Whether a label can be pushed: the order of tags and labels must be known.</summary>
    public readonly bool TakesMpls => !HasVlan && (EtherType is Ipv4 or Ipv6 or Arp or ReverseArp || IsMpls);

    public static bool IsMplsType(ushort etherType) => etherType is MplsUnicast or MplsMulticast;

    public static PacketShape Of(in FlowKey key) => new()
    {
        EtherType = key.EtherType.Value,
        VlanTci = key.VlanTci.Value,
        MplsLabels = IsMplsType(key.EtherType.Value) ? (uint)BitOperations.PopCount(key.MplsLabelsMask) : 0,
        HasEthernet = key.MacProtocol == 1,
    };
}
