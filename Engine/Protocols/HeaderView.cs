using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Engine.Protocols;

/// <summary>A header in place: a reference to bytes that were checked to be long enough. Behind it nothing can fail.</summary>
/// <typeparam name="T">The header, a struct of the layout on the wire.</typeparam>
/// <remarks>Void as soon as the bytes move: after a push or pull of the packet, or when its frame is freed.</remarks>
public readonly ref struct HeaderView<T>
    where T : unmanaged
{
    private readonly ref T _header;

    internal HeaderView(ref T header) => _header = ref header;

    /// <summary>The header; writes go to the bytes.</summary>
    public ref T Header => ref _header;
}

/// <summary>The only way to a <see cref="HeaderView{T}"/>.</summary>
public static class HeaderView
{
    /// <summary>Takes the header that starts at <paramref name="offset"/>.</summary>
    /// <typeparam name="T">The header.</typeparam>
    /// <param name="bytes">The packet.</param>
    /// <param name="offset">Not negative; may lie beyond the end.</param>
    /// <param name="view">The header, or a view on nothing when there is none.</param>
    /// <returns>False when the header does not lie in <paramref name="bytes"/> as a whole.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryCreate<T>(Span<byte> bytes, int offset, out HeaderView<T> view)
        where T : unmanaged
    {
        if (bytes.Length - offset < Unsafe.SizeOf<T>())
        {
            view = default;
            return false;
        }

        view = new HeaderView<T>(ref MemoryMarshal.AsRef<T>(bytes[offset..]));
        return true;
    }
}
