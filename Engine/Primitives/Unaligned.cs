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

    /// <summary>The byte <paramref name="offset"/> bytes after <paramref name="start"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref byte ByteAt(ref byte start, nint offset) => ref Unsafe.AddByteOffset(ref start, offset);

    /// <summary>The element <paramref name="index"/> places after <paramref name="first"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref T At<T>(ref T first, int index) => ref Unsafe.Add(ref first, index);

    /// <inheritdoc cref="At{T}(ref T, int)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref T At<T>(ref T first, nuint index) => ref Unsafe.Add(ref first, index);

    /// <summary>The same memory seen as another type, of which the caller touches no more than there is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref TTo Reinterpret<TFrom, TTo>(ref TFrom value)
        where TFrom : unmanaged
        where TTo : unmanaged => ref Unsafe.As<TFrom, TTo>(ref value);

    /// <summary><see cref="Reinterpret"/> for memory that is only read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref readonly TTo ReinterpretReadOnly<TFrom, TTo>(ref readonly TFrom value)
        where TFrom : unmanaged
        where TTo : unmanaged => ref Unsafe.As<TFrom, TTo>(ref Unsafe.AsRef(in value));
}
