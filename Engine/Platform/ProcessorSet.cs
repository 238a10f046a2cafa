using System.Collections.Immutable;

namespace Engine.Platform;

/// <summary>The processors that a thread may run on (sched_setaffinity(2)).</summary>
public static unsafe class ProcessorSet
{
    // CPU_SETSIZE is 1,024; the kernel takes longer masks too.
    private const int MaskBytes = 1024;

    /// <summary>The processors that the calling thread may run on, in order.</summary>
    public static ImmutableArray<int> Current
    {
        get
        {
            Span<byte> mask = stackalloc byte[MaskBytes];
            mask.Clear();
            int count;
            fixed (byte* bytes = mask)
            {
                count = Libc.sched_getaffinity(0, MaskBytes, bytes);
            }

            if (count < 0)
            {
                return [.. Enumerable.Range(0, Environment.ProcessorCount)];
            }

            ImmutableArray<int>.Builder processors = ImmutableArray.CreateBuilder<int>();
            for (int i = 0; i < MaskBytes * 8; i++)
            {
                if ((mask[i / 8] >> (i % 8) & 1) != 0)
                {
                    processors.Add(i);
                }
            }

            return processors.ToImmutable();
        }
    }

    /// <summary>Lets the calling thread run on one processor only.</summary>
    /// <returns>False when there is no such processor, or the process may not use it.</returns>
    public static bool TryPin(int processor)
    {
        if ((uint)processor >= MaskBytes * 8)
        {
            return false;
        }

        Span<byte> mask = stackalloc byte[MaskBytes];
        mask.Clear();
        mask[processor / 8] = (byte)(1 << (processor % 8));
        fixed (byte* bytes = mask)
        {
            return Libc.sched_setaffinity(0, MaskBytes, bytes) == 0;
        }
    }
}
