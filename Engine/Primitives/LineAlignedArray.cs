using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Engine.Primitives;

/// <summary>An array that begins at a cache line and never moves.</summary>
/// <remarks>A 64-byte load of an element whose size is a multiple of 64 then touches one line, not two.</remarks>
internal sealed class LineAlignedArray<T>
    where T : unmanaged
{
    private const int LineSize = 64;

    private readonly byte[] _memory;
    private readonly int _start;
    private readonly int _size;

    public unsafe LineAlignedArray(int length)
    {
        _size = length * Unsafe.SizeOf<T>();
        _memory = GC.AllocateArray<byte>(_size + LineSize, pinned: true);

        // The array is pinned for life, so the address stays what it is.
        nint address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
        _start = (int)(-address & (LineSize - 1));
    }

    /// <summary>The elements.</summary>
    public Span<T> Span => MemoryMarshal.Cast<byte, T>(_memory.AsSpan(_start, _size));
}
