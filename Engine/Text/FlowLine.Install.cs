using Engine.Actions;
using Engine.Flows;
using Engine.Primitives;

namespace Engine.Text;

// What the generator of pipelines, which takes the rest of the sources of Text as they are, has no table for.
public sealed partial class FlowLine
{
    /// <summary>Validates the actions and adds the flow to a table. Writer of the table only.</summary>
    /// <param name="table">The table.</param>
    /// <param name="flow">The flow that was added; null when refused.</param>
    /// <returns>Why it was refused, and where in the file; null when it was not.</returns>
    public FlowFileError? Install(FlowTable table, out Flow? flow)
    {
        ArgumentNullException.ThrowIfNull(table);
        flow = null;
        FlowKey.MaskedCopy(in _key, in _mask, out FlowKey masked);
        Refusal refusal = ActionList.TryCreate(Actions.Span, in masked, ActionFeatures.All, out ActionList? actions);
        if (refusal.IsRefused)
        {
            return ErrorInActions(in refusal);
        }

        refusal = table.Put(in _key, in _mask, actions!, Ufid, FlowPutMode.CreateOnly, out flow);
        return refusal.IsRefused ? new FlowFileError(File, Line, 1, refusal.Reason ?? "refused") : null;
    }
}
