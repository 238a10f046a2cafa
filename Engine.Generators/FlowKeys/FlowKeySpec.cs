using Engine.Generators.Infrastructure;

namespace Engine.Generators.FlowKeys;

/// <summary>A declared flow key: all that the emitters need, and no symbols.</summary>
internal sealed record FlowKeySpec(
    string Namespace,
    string TypeName,
    string Accessibility,
    int Size,
    string SegmentEnum,
    EquatableArray<SegmentSpec> Segments,
    EquatableArray<FieldSpec> Fields,
    EquatableArray<KeyAttributeSpec> Attributes)
{
    /// <summary>Bytes that are hashed and compared: all segments.</summary>
    public int MatchedSize => Segments[Segments.Count - 1].End;
}

/// <summary>A run of fields. <see cref="Value"/> 0 is the core.</summary>
internal sealed record SegmentSpec(string Name, long Value, int Offset, int Size)
{
    /// <summary>Offset of the first byte after it.</summary>
    public int End => Offset + Size;
}

/// <summary>How the bytes of a field read as a number.</summary>
internal enum FieldKind
{
    /// <summary>A number in host order.</summary>
    Host,

    /// <summary>A number in network order, with members Value and FromRaw.</summary>
    Network,

    /// <summary>An address or another run of bytes.</summary>
    Bytes,
}

/// <summary>A field. <see cref="NumberType"/> is the C# keyword of the host-order value, empty for bytes; <see cref="EnumType"/> is set for enums.</summary>
internal sealed record FieldSpec(string Name, string TypeName, int Offset, int Size, FieldKind Kind, string NumberType, string EnumType, bool IsPadding, string Segment);

/// <summary>A netlink attribute of the key.</summary>
internal sealed record KeyAttributeSpec(
    string EnumType,
    string Member,
    long Number,
    string Name,
    int Size,
    string Layer,
    bool IsNested,
    bool IsArray,
    bool IsHandWritten,
    string? When,
    EquatableArray<int> EtherTypes,
    int IpProtocol,
    EquatableArray<int> IcmpTypes,
    bool IsRequired,
    bool IsMaskConditional,
    EquatableArray<KeyPartSpec> Parts);

/// <summary>A part of a netlink attribute and the field it is kept in.</summary>
internal sealed record KeyPartSpec(
    string Name,
    FieldSpec Field,
    int Offset,
    int Size,
    bool IsNetworkOrder,
    string Format,
    int Shift,
    int Bits,
    long NestedNumber,
    long Maximum,
    bool IsMaximumOfMask);
