using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Engine.Flows;

/// <summary>Room for the options of one tunnel header, at most 255 bytes used. 256 bytes.</summary>
[InlineArray(Length)]
public struct TunnelOptions
{
    /// <summary>Bytes of room.</summary>
    public const int Length = 256;

    [SuppressMessage("Style", "IDE0044:Add readonly modifier", Justification = "The element of an inline array.")]
    private byte _first;
}
