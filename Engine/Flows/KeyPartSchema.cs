using Engine.Annotations;

namespace Engine.Flows;

/// <summary>One part of a netlink key attribute and the field of <see cref="FlowKey"/> it is kept in. Data only.</summary>
public sealed class KeyPartSchema
{
    /// <summary>Name in ovs-dpctl text; empty when the attribute has only this part.</summary>
    public required string Name { get; init; }

    /// <summary>Name of the field.</summary>
    public required string FieldName { get; init; }

    /// <summary>Byte offset of the field in the key.</summary>
    public required int FieldOffset { get; init; }

    /// <summary>Bytes of the field.</summary>
    public required int FieldSize { get; init; }

    /// <summary>Whether the field is kept in network byte order, as the wire has it. False for host-order numbers.</summary>
    public required bool IsFieldNetworkOrder { get; init; }

    /// <summary>Byte offset in the payload of the attribute, or of the nested attribute.</summary>
    public required int PayloadOffset { get; init; }

    /// <summary>Bytes in the payload.</summary>
    public required int PayloadSize { get; init; }

    /// <summary>How it reads in text.</summary>
    public required KeyFormat Format { get; init; }

    /// <summary>Lowest bit of the part in the host-order value of the field.</summary>
    public required int Shift { get; init; }

    /// <summary>Number of bits of the part; 8 times <see cref="FieldSize"/> when it is the whole field.</summary>
    public required int Bits { get; init; }

    /// <summary>Number of the nested attribute that carries it, -1 if none.</summary>
    public required int NestedAttribute { get; init; }

    /// <summary>Largest value the kernel accepts in a key, -1 for any.</summary>
    public required long Maximum { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({FieldName})";
}
