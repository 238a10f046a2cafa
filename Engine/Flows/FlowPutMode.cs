namespace Engine.Flows;

/// <summary>What putting a flow does when it exists already.</summary>
public enum FlowPutMode
{
    /// <summary>Add it, or replace the actions of the existing one.</summary>
    CreateOrReplace,

    /// <summary>Add it; refuse if it exists (NLM_F_CREATE or NLM_F_EXCL in OVS_FLOW_CMD_NEW).</summary>
    CreateOnly,
}
