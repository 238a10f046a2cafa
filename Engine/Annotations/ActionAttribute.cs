namespace Engine.Annotations;

/// <summary>Declares one action, on the method that validates and compiles it.</summary>
/// <param name="attribute">Number of the action, an enum member. Every member but the one of value 0 needs a method.</param>
/// <param name="name">Its name in ovs-dpctl text.</param>
/// <remarks>The method returns a Refusal and takes any of <c>action</c>, <c>shape</c>, <c>isLast</c> and <c>depth</c>, by these names.</remarks>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ActionAttribute(object attribute, string name) : Attribute
{
    /// <summary>Number of the action, an enum member.</summary>
    public object Attribute { get; } = attribute;

    /// <summary>Its name in ovs-dpctl text.</summary>
    public string Name { get; } = name;

    /// <summary>Bytes of the payload; -1 when they vary.</summary>
    public int Length { get; set; } = -1;

    /// <summary>Whether packet and key are afterwards what they were before (the kernel's actions_may_change_flow), so that a list of such actions needs no key of its own.</summary>
    public bool LeavesFlow { get; set; }
}
