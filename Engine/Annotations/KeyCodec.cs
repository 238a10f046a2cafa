namespace Engine.Annotations;

/// <summary>Who writes the netlink codec of a key attribute.</summary>
public enum KeyCodec
{
    /// <summary>Generated: a fixed payload, each part copied to and from its field.</summary>
    Generated,

    /// <summary>By hand, in methods <c>WriteX</c> and <c>ParseX</c> of the key, X being the attribute's enum member: a rule that a table does not hold.</summary>
    HandWritten,
}
