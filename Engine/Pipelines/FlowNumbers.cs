using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Engine.Packets;

namespace Engine.Pipelines;

/// <summary>What was found for each packet of a batch: its flow, with TCP flags from bit 16 on, or a number below 0. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[InlineArray(PacketBatch.Capacity)]
public struct FlowNumbers
{
    [SuppressMessage("Style", "IDE0044:Add readonly modifier", Justification = "The element of an inline array.")]
    private int _first;
}
