namespace Engine.Annotations;

/// <summary>Ends the last segment of the flow key: this field and those after it are carried with the key but never hashed or compared.</summary>
[AttributeUsage(AttributeTargets.Field)]
public sealed class NotMatchedAttribute : Attribute;
