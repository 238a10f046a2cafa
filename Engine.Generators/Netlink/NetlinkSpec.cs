using Engine.Generators.Infrastructure;

namespace Engine.Generators.Netlink;

/// <summary>A set of netlink attributes.</summary>
/// <param name="Namespace">Where the enum is.</param>
/// <param name="EnumName">Its name, ending in Attribute.</param>
/// <param name="Accessibility">Its accessibility, for what is generated.</param>
/// <param name="Attributes">Its members from number 1 on, in order and without gaps.</param>
internal sealed record NetlinkSpec(string Namespace, string EnumName, string Accessibility, EquatableArray<NetlinkAttributeSpec> Attributes)
{
    /// <summary>Name of the reader.</summary>
    public string ReaderName => EnumName + "s";

    /// <summary>Name of the writer.</summary>
    public string WriterName => EnumName + "Writer";
}

/// <summary>One attribute.</summary>
/// <param name="Name">The member.</param>
/// <param name="Number">Its value.</param>
/// <param name="Summary">The sentence of its doc comment.</param>
/// <param name="Type">Member name of NetlinkType.</param>
/// <param name="Length">Fewest bytes, or most characters.</param>
/// <param name="HasRange">Whether a number is held to a range.</param>
/// <param name="Minimum">Smallest number.</param>
/// <param name="Maximum">Largest number.</param>
/// <param name="IsUnchecked">Whether it has no policy.</param>
internal sealed record NetlinkAttributeSpec(string Name, long Number, string Summary, string Type, int Length, bool HasRange, long Minimum, long Maximum, bool IsUnchecked)
{
    /// <summary>The C# type of a number; null for what is no number.</summary>
    public string? NumberType => Type switch
    {
        "U8" => "byte",
        "U16" => "ushort",
        "U32" => "uint",
        "U64" => "ulong",
        "S32" => "int",
        _ => null,
    };
}
