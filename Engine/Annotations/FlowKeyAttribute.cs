namespace Engine.Annotations;

/// <summary>Marks the struct that declares a flow key: the generator writes layout, match, codec and schema from its fields.</summary>
/// <param name="size">Bytes of the struct. The build fails when the fields add up to something else.</param>
[AttributeUsage(AttributeTargets.Struct)]
public sealed class FlowKeyAttribute(int size) : Attribute
{
    /// <summary>Bytes of the struct.</summary>
    public int Size { get; } = size;
}
