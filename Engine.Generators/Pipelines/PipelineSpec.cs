using Engine.Generators.Infrastructure;

namespace Engine.Generators.Pipelines;

/// <summary>A class marked <c>[Pipeline]</c> with its flows: everything that the emitter needs, comparable, without places in files.</summary>
/// <param name="Namespace">Namespace of the class.</param>
/// <param name="Name">Name of the class.</param>
/// <param name="IsStatic">Whether the class is static, and cannot implement an interface.</param>
/// <param name="Flows">In the order they are given, in which the first one that matches is taken.</param>
/// <param name="Lists">The action lists; flows with the same steps share one.</param>
/// <param name="HasOverlaps">Whether a packet can match several flows, so that their order matters.</param>
internal sealed record PipelineSpec(
    string Namespace,
    string Name,
    bool IsStatic,
    EquatableArray<FlowSpec> Flows,
    EquatableArray<ActionListSpec> Lists,
    bool HasOverlaps)
{
    /// <summary>Name of the generated file.</summary>
    public string HintName => Namespace.Length == 0 ? $"{Name}.g.cs" : $"{Namespace}.{Name}.g.cs";
}

/// <summary>One flow.</summary>
/// <param name="Text">Key and actions as they were written, in one line.</param>
/// <param name="Match">What of the key matters, in the order of the key.</param>
/// <param name="List">Index of its action list.</param>
internal sealed record FlowSpec(string Text, EquatableArray<MaskedWord> Match, int List);

/// <summary>32 bits of a flow key that matter, as they stand in memory.</summary>
/// <param name="Index">Place in the key, in words of 4 bytes.</param>
/// <param name="Mask">The bits that matter; at least one.</param>
/// <param name="Value">What they must be; no other bit is set.</param>
internal readonly record struct MaskedWord(int Index, uint Mask, uint Value);

/// <summary>An action list.</summary>
/// <param name="Text">As <c>ovs-dpctl</c> prints it.</param>
/// <param name="Steps">The compiled steps, those of nested lists behind the step that holds them.</param>
internal sealed record ActionListSpec(string Text, EquatableArray<StepSpec> Steps);

/// <summary>A step of a compiled list: <see cref="Engine.Actions.ActionStep"/> with its larger arguments beside it.</summary>
internal sealed record StepSpec(Engine.Actions.ActionOpcode Opcode, uint Argument, ushort Small, int Nested, EquatableArray<byte> Arguments);
