namespace Engine.Annotations;

/// <summary>Says that a field of the flow key is carried by a netlink key attribute, and where.</summary>
/// <param name="attribute">The attribute, an enum member.</param>
/// <param name="name">Name of the part in ovs-dpctl text; empty when it is the only one.</param>
/// <remarks>A field may be carried by several attributes, and several parts of one field by the same attribute.
/// Parts read in the order of their place in the payload, those of the same place in the order of declaration.</remarks>
[AttributeUsage(AttributeTargets.Field, AllowMultiple = true)]
public sealed class KeyPartAttribute(object attribute, string name) : Attribute
{
    /// <summary>The attribute, an enum member.</summary>
    public object Attribute { get; } = attribute;

    /// <summary>Name of the part in ovs-dpctl text; empty when it is the only one.</summary>
    public string Name { get; } = name;

    /// <summary>Byte offset in the payload (of the nested attribute, if <see cref="Nested"/>; of the whole array for an array).</summary>
    public int Offset { get; set; }

    /// <summary>Bytes in the payload; 0 means as many as the field has. When it differs, the value is widened or narrowed.</summary>
    public int Size { get; set; }

    /// <summary>Whether a payload whose size is not the field's is in network byte order.</summary>
    public bool IsNetworkOrder { get; set; }

    /// <summary>How it reads in text.</summary>
    public KeyFormat Format { get; set; }

    /// <summary>For a part of a field: number of its lowest bit, counted in the host-order value.</summary>
    public int Shift { get; set; }

    /// <summary>For a part of a field: number of bits; 0 means all.</summary>
    public int Bits { get; set; }

    /// <summary>The nested attribute that carries it, an enum member; null if none.</summary>
    public object? Nested { get; set; }

    /// <summary>Largest value the kernel accepts in a key; -1 for any.</summary>
    public long Maximum { get; set; } = -1;

    /// <summary>Whether <see cref="Maximum"/> holds for masks too.</summary>
    public bool IsMaximumOfMask { get; set; }
}
