using Engine.Flows;

namespace Engine.Control;

/// <summary>A flow as a server tells it.</summary>
/// <param name="Ufid">Its UFID, if it has one.</param>
/// <param name="Key">Payload of OVS_FLOW_ATTR_KEY.</param>
/// <param name="Mask">Payload of OVS_FLOW_ATTR_MASK.</param>
/// <param name="Actions">Payload of OVS_FLOW_ATTR_ACTIONS.</param>
/// <param name="Stats">What it has matched.</param>
public sealed record FlowEntry(Ufid Ufid, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Mask, ReadOnlyMemory<byte> Actions, FlowStats Stats);
