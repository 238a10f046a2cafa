namespace Engine.Annotations;

/// <summary>Declares one netlink key attribute of a flow key. The order of these declarations is the order in which the kernel writes the attributes.</summary>
/// <param name="attribute">Number of the attribute, an enum member.</param>
/// <param name="name">Its name in ovs-dpctl text.</param>
/// <remarks>An attribute is written when all conditions stated here hold for the key. Conditions of a transport header
/// (<see cref="IpProtocol"/>) include that the packet is not a later fragment.</remarks>
[AttributeUsage(AttributeTargets.Struct, AllowMultiple = true)]
public sealed class KeyAttributeAttribute(object attribute, string name) : Attribute
{
    /// <summary>Number of the attribute, an enum member.</summary>
    public object Attribute { get; } = attribute;

    /// <summary>Its name in ovs-dpctl text.</summary>
    public string Name { get; } = name;

    /// <summary>Bytes of the payload; of one element for an array; 0 for nested attributes.</summary>
    public int Size { get; set; }

    /// <summary>Where it stands in a key.</summary>
    public KeyLayer Layer { get; set; }

    /// <summary>Whether the payload is attributes.</summary>
    public bool IsNested { get; set; }

    /// <summary>Whether the payload is an array of up to as many elements as there are fields.</summary>
    public bool IsArray { get; set; }

    /// <summary>Who writes its codec.</summary>
    public KeyCodec Codec { get; set; }

    /// <summary>Name of a field of the key that must not be zero; null without such a condition.</summary>
    public string? When { get; set; }

    /// <summary>Ethernet types, in host order, of which the key must have one; empty for any.</summary>
    public int[] EtherTypes { get; set; } = [];

    /// <summary>IP protocol the key must have; 0 for any.</summary>
    public int IpProtocol { get; set; }

    /// <summary>ICMP types of which the key must have one; empty for any.</summary>
    public int[] IcmpTypes { get; set; } = [];

    /// <summary>Whether a key that fulfils the conditions is refused without it (the kernel's match_validate).</summary>
    public bool IsRequired { get; set; }

    /// <summary>Whether a mask may have it only when the fields of its conditions are matched exactly, instead of whenever the key has it.</summary>
    public bool IsMaskConditional { get; set; }
}
