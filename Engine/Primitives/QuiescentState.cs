using System.Runtime.CompilerServices;

namespace Engine.Primitives;

/// <summary>Tells when readers that work without locks no longer hold what was taken away from them.</summary>
/// <remarks>
/// <para>A reader says when it enters and leaves; that costs it two plain stores. The writer takes something away, takes a
/// <see cref="Snapshot"/>, and may reuse it when <see cref="HasPassed"/> holds: every reader that was inside then has left since.</para>
/// <para>Threads: each reader has an index and is one thread at a time; one writer. The fence that makes plain stores enough is on the
/// writer's side: <see cref="Interlocked.MemoryBarrierProcessWide"/>.</para>
/// </remarks>
internal sealed class QuiescentState(int readers)
{
    // Two cache lines for each: readers do not disturb each other, whatever the alignment of the array.
    private const int Stride = 128 / sizeof(ulong);

    // Even: outside.
    private readonly ulong[] _states = new ulong[(readers + 1) * Stride];

    /// <summary>Number of readers.</summary>
    public int ReaderCount => readers;

    /// <summary>A reader begins to read. May be nested: the answer goes to <see cref="Leave"/>.</summary>
    /// <returns>Whether it was outside before.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Enter(int reader)
    {
        ref ulong state = ref _states[(reader + 1) * Stride];
        if ((state & 1) != 0)
        {
            return false;
        }

        Volatile.Write(ref state, state + 1);
        return true;
    }

    /// <summary>A reader has read: it holds nothing any more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave(int reader, bool wasOutside)
    {
        ref ulong state = ref _states[(reader + 1) * Stride];
        Volatile.Write(ref state, state + (wasOutside ? 1u : 0));
    }

    /// <summary>Remembers which readers are inside now. Writer only.</summary>
    public void Snapshot(Span<ulong> states)
    {
        Interlocked.MemoryBarrierProcessWide();
        for (int i = 0; i < states.Length; i++)
        {
            states[i] = Volatile.Read(ref _states[(i + 1) * Stride]);
        }
    }

    /// <summary>Whether all readers that were inside at the snapshot have left. Writer only.</summary>
    public bool HasPassed(ReadOnlySpan<ulong> states)
    {
        for (int i = 0; i < states.Length; i++)
        {
            if ((states[i] & 1) != 0 && Volatile.Read(ref _states[(i + 1) * Stride]) == states[i])
            {
                return false;
            }
        }

        return true;
    }
}
