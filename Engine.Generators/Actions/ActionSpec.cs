using Engine.Generators.Infrastructure;

namespace Engine.Generators.Actions;

/// <summary>A class marked <c>[ActionSet]</c> as declared: everything that the emitter needs, comparable.</summary>
/// <param name="Namespace">Namespace of the class.</param>
/// <param name="Name">Name of the class.</param>
/// <param name="Modifiers">C# keywords in front of <c>partial class</c>.</param>
/// <param name="Actions">By number.</param>
/// <param name="Steps">By opcode.</param>
internal sealed record ActionSpec(string Namespace, string Name, string Modifiers, EquatableArray<ActionMethod> Actions, EquatableArray<StepMethod> Steps);

/// <summary>A method that validates an action.</summary>
/// <param name="Attribute">The enum member, fully qualified.</param>
/// <param name="Number">Its value.</param>
/// <param name="Name">Name in text.</param>
/// <param name="Length">Bytes of the payload, or -1.</param>
/// <param name="LeavesFlow">Whether it leaves packet and key as they were.</param>
/// <param name="Call">Name and arguments of the method.</param>
internal sealed record ActionMethod(string Attribute, int Number, string Name, int Length, bool LeavesFlow, string Call);

/// <summary>A method that runs a step.</summary>
/// <param name="Opcode">The enum member, fully qualified.</param>
/// <param name="Number">Its value.</param>
/// <param name="Call">Name and arguments of the method.</param>
internal sealed record StepMethod(string Opcode, int Number, string Call);
