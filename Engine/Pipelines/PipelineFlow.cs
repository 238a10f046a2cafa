using Engine.Actions;
using Engine.Flows;

namespace Engine.Pipelines;

/// <summary>A flow of a compiled pipeline as data.</summary>
/// <remarks>Immutable.</remarks>
public sealed class PipelineFlow
{
    private readonly FlowKey _key;

    internal PipelineFlow(string text, in FlowKey key, FlowMask mask, ActionList actions)
    {
        Text = text;
        _key = key;
        Mask = mask;
        Actions = actions;
    }

    /// <summary>Key and actions as they were written, in one line.</summary>
    public string Text { get; }

    /// <summary>The masked key.</summary>
    public ref readonly FlowKey Key => ref _key;

    /// <summary>The mask.</summary>
    public FlowMask Mask { get; }

    /// <summary>The actions.</summary>
    public ActionList Actions { get; }
}
