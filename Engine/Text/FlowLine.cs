using Engine.Flows;
using Engine.Primitives;

namespace Engine.Text;

/// <summary>A flow read from a flows file.</summary>
/// <remarks>Immutable once read.</remarks>
public sealed partial class FlowLine
{
    private readonly FlowKey _key;
    private readonly FlowKey _mask;
    private readonly TextMap _actionsMap;

    internal FlowLine(string file, int line, in FlowKey key, in FlowKey mask, byte[] actions, TextMap actionsMap, string keyText, Ufid ufid, FlowStats stats)
    {
        File = file;
        Line = line;
        _key = key;
        _mask = mask;
        Actions = actions;
        _actionsMap = actionsMap;
        KeyText = keyText;
        Ufid = ufid;
        Stats = stats;
    }

    /// <summary>Name of the file as it was given.</summary>
    public string File { get; }

    /// <summary>Line, from 1.</summary>
    public int Line { get; }

    /// <summary>The key, not masked.</summary>
    public ref readonly FlowKey Key => ref _key;

    /// <summary>The mask.</summary>
    public ref readonly FlowKey Mask => ref _mask;

    /// <summary>Payload of OVS_FLOW_ATTR_ACTIONS.</summary>
    public ReadOnlyMemory<byte> Actions { get; }

    /// <summary>The key as it was written, without UFID.</summary>
    public string KeyText { get; }

    /// <summary>The UFID, if the line has one.</summary>
    public Ufid Ufid { get; }

    /// <summary>Packets, bytes and TCP flags, if the line has them. When it was last used is not kept.</summary>
    public FlowStats Stats { get; }

    /// <summary>Points a refusal of <see cref="Actions"/> at the action in the file.</summary>
    public FlowFileError ErrorInActions(in Refusal refusal) => new(File, Line, _actionsMap.TextOffset(refusal.Offset) + 1, refusal.Reason ?? "refused");
}
