using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Engine.Flows;

/// <summary>What a packet needs of its flow, in two neighbouring cache lines of native memory.</summary>
/// <remarks>
/// <para>Layout: <c>[masked core of the key 64][mask 8][tail 8][statistics 8][output 4][index 4][statistics of a lone worker 32]</c>.</para>
/// <para>Threads: the control thread fills a record that no worker can reach, and publishes it by writing <see cref="Mask"/> last. While
/// there is a mask, only <see cref="Output"/> changes. A removed record has none, and is not filled again before every worker has
/// passed a quiescent state.</para>
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = ByteSize)]
internal unsafe struct FlowRecord
{
    /// <summary>Bytes of a record.</summary>
    public const int ByteSize = 128;

    /// <summary>The value of <see cref="Output"/> for a flow whose actions are more than one output.</summary>
    public const int NoOutput = -1;

    private KeyCore _core;

    private nint _mask;

    /// <summary>Masked words outside of the core, as many as the mask says.</summary>
    public ulong* Tail;

    /// <summary>Statistics of the first worker; those of the others follow at a distance of <see cref="FlowRecords.ChunkSize"/>.</summary>
    public FlowStats* Stats;

    /// <summary>The port, when the actions are one output; else <see cref="NoOutput"/>.</summary>
    public int Output;

    /// <summary>Index of the record.</summary>
    public int Index;

    /// <summary>Where <see cref="Stats"/> points when there is one worker: the line is here anyway.</summary>
    public FlowStats OwnStats;

    /// <summary>The masked core, as a key of which no more than the core is there.</summary>
    [UnscopedRef]
    public ref FlowKey CoreAsKey
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref Unsafe.As<KeyCore, FlowKey>(ref _core);
    }

    /// <summary>The bits that matter; null: no flow. What was written before it is seen by who reads it.</summary>
    public MaskRecord* Mask
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        readonly get => (MaskRecord*)Volatile.Read(ref Unsafe.AsRef(in _mask));
        set => Volatile.Write(ref _mask, (nint)value);
    }

    /// <summary>The masked core.</summary>
    [UnscopedRef]
    public readonly ref readonly KeyCore Core => ref _core;

    /// <summary>Copies those bits of a key's core that matter.</summary>
    public void SetCore(in FlowKey key, in FlowKey mask)
    {
        ReadOnlySpan<ulong> words = FlowMask.Words(in key), bits = FlowMask.Words(in mask);
        for (int i = 0; i < FlowMask.CoreWords; i++)
        {
            _core[i] = words[i] & bits[i];
        }
    }

    /// <summary>Whether a packet with this key matches under the mask, which was read from this record.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Matches(in FlowKey key, MaskRecord* mask) =>
        FlowKey.MaskedEqualsCore(in key, in mask->CoreAsKey, in CoreAsKey) && (mask->TailLength == 0 || mask->TailEquals(in key, Tail));

    /// <summary>The core segment of a key.</summary>
    [InlineArray(FlowMask.CoreWords)]
    internal struct KeyCore
    {
        [SuppressMessage("Style", "IDE0044:Add readonly modifier", Justification = "The element of an inline array.")]
        private ulong _first;
    }
}
