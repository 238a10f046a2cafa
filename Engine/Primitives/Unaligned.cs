using System.Runtime.CompilerServices;

namespace Engine.Primitives;

/// <summary>Loads and stores of any width at any address, for code that has checked its bounds as a whole.</summary>
/// <remarks>Nothing is checked here: the caller's assert says why offset plus size is in bounds.</remarks>
internal static class Unaligned
{
    /// <summary>The value <paramref name="offset"/> bytes after <paramref name="start"/>, in the machine's byte order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref byte start, nint offset)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(ref Unsafe.AddByteOffset(ref start, offset));

    /// <summary>Writes the value <paramref name="offset"/> bytes after <paramref name="start"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(ref byte start, nint offset, T value)
        where T : unmanaged => Unsafe.WriteUnaligned(ref Unsafe.AddByteOffset(ref start, offset), value);
}
