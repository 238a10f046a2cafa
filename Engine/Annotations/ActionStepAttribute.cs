namespace Engine.Annotations;

/// <summary>Declares the method that runs one step of a compiled list by changing packet and key, and does nothing else.</summary>
/// <param name="opcode">The opcode of the step, an enum member.</param>
/// <remarks>The method returns an Errno and takes any of <c>packet</c>, <c>key</c>, <c>step</c>, <c>arguments</c>, <c>argument</c> and <c>small</c>, by these names.</remarks>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ActionStepAttribute(object opcode) : Attribute
{
    /// <summary>The opcode of the step, an enum member.</summary>
    public object Opcode { get; } = opcode;
}
