namespace Engine.Annotations;

/// <summary>Declares a partial property of a protocol header as a range of bits of one of its fields.</summary>
/// <param name="field">Name of the field.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class BitRangeAttribute(string field) : Attribute
{
    /// <summary>Name of the field that holds the bits.</summary>
    public string Field { get; } = field;

    /// <summary>The lowest bit of the range, counted from the least significant bit of the field's value.</summary>
    public required int Shift { get; init; }

    /// <summary>Number of bits.</summary>
    public required int Width { get; init; }
}
