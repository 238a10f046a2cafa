namespace Engine.Annotations;

/// <summary>
/// Declares a protocol header: a partial struct whose fields stand in the order and size they have on the wire. The
/// generator adds the layout, TryRead, TryView, Write, the bit ranges and the printer, and checks the size.
/// </summary>
[AttributeUsage(AttributeTargets.Struct)]
public sealed class ProtocolHeaderAttribute : Attribute
{
    /// <summary>Bytes on the wire, as the standard has it. The build fails when the fields add up to something else.</summary>
    public required int Size { get; init; }
}
