using System.Collections.Immutable;
using Engine.Annotations;
using Engine.Netlink;

namespace Engine.Flows;

/// <summary>One netlink key attribute: name, payload, when a key has it, and its parts. Data only.</summary>
public sealed class KeyAttributeSchema
{
    /// <summary>The attribute.</summary>
    public required OvsKeyAttribute Attribute { get; init; }

    /// <summary>Name in ovs-dpctl text.</summary>
    public required string Name { get; init; }

    /// <summary>Bytes of the payload; of one element for an array; 0 for nested attributes.</summary>
    public required int Size { get; init; }

    /// <summary>Where it stands in a key.</summary>
    public required KeyLayer Layer { get; init; }

    /// <summary>Whether the payload is attributes.</summary>
    public required bool IsNested { get; init; }

    /// <summary>Whether the payload is an array.</summary>
    public required bool IsArray { get; init; }

    /// <summary>Ethernet types (host order) of which the key must have one; empty for any.</summary>
    public required ImmutableArray<ushort> EtherTypes { get; init; }

    /// <summary>IP protocol the key must have, in a packet that is not a later fragment; 0 for any.</summary>
    public required byte IpProtocol { get; init; }

    /// <summary>ICMP types of which the key must have one; empty for any.</summary>
    public required ImmutableArray<byte> IcmpTypes { get; init; }

    /// <summary>Whether the kernel refuses a key that fulfils the conditions and lacks the attribute.</summary>
    public required bool IsRequired { get; init; }

    /// <summary>Its parts in the order of the payload.</summary>
    public required ImmutableArray<KeyPartSchema> Parts { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
