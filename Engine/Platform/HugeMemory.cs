using System.Runtime.InteropServices;

namespace Engine.Platform;

/// <summary>A large piece of native memory that begins at a multiple of 2 MiB and asks the kernel for pages of that size.</summary>
/// <remarks>
/// Tables that are read at random miss the TLB with small pages more often than the cache. Pages are taken when first touched, so
/// what is never used costs nothing. Freed with the object. Threads: any.
/// </remarks>
internal sealed unsafe partial class HugeMemory
{
    /// <summary>Bytes of a huge page.</summary>
    public const int PageSize = 1 << 21;

    private const int AdviseHugePage = 14;

    /// <summary>Takes memory. Its content is undefined.</summary>
    public HugeMemory(long size)
    {
        Start = (byte*)NativeMemory.AlignedAlloc((nuint)size, PageSize);
        if (OperatingSystem.IsLinux() && size >= PageSize)
        {
            // Advice only: where there are no huge pages, small ones serve.
            _ = Advise(Start, (nuint)size, AdviseHugePage);
        }
    }

    /// <summary>Frees the memory.</summary>
    ~HugeMemory() => NativeMemory.AlignedFree(Start);

    /// <summary>The first byte.</summary>
    public byte* Start { get; }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
