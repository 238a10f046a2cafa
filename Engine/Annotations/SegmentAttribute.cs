namespace Engine.Annotations;

/// <summary>Starts a segment of the flow key at this field; it ends where the next one starts.</summary>
/// <param name="segment">The bit of the segment, an enum member; the one with value 0 is the core.</param>
/// <remarks>A segment is a multiple of 8 bytes, the core is 64. The segments stand in the order of their bits.</remarks>
[AttributeUsage(AttributeTargets.Field)]
public sealed class SegmentAttribute(object segment) : Attribute
{
    /// <summary>The bit of the segment, an enum member.</summary>
    public object Segment { get; } = segment;
}
