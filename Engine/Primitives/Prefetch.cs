using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Engine.Primitives;

/// <summary>Asks for a cache line before it is needed, so that waiting for several overlaps.</summary>
internal static unsafe class Prefetch
{
    /// <summary>A hint: any address will do, and where the processor has no such instruction nothing happens.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }
}
