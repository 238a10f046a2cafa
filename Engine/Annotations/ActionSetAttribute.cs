namespace Engine.Annotations;

/// <summary>
/// Marks a partial class whose methods validate or execute actions. The generator adds the table of actions and the dispatch to the
/// methods marked <see cref="ActionAttribute"/>, and the dispatch to those marked <see cref="ActionStepAttribute"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ActionSetAttribute : Attribute;
