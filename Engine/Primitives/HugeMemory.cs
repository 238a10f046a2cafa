using System.Runtime.InteropServices;

namespace Engine.Primitives;

/// <summary>A large piece of native memory that begins at a multiple of 2 MiB and asks the kernel for pages of that size.</summary>
/// <remarks>
/// Tables that are read at random miss the TLB with small pages more often than the cache. Pages are taken when first touched, so
/// what is never used costs nothing. Freed with the object, or when disposed. Threads: any.
/// </remarks>
internal sealed unsafe partial class HugeMemory : IDisposable
{
    /// <summary>Bytes of a huge page.</summary>
    public const int PageSize = 1 << 21;

    private const int SmallPageSize = 4096;
    private const int AdviseHugePage = 14;

    /// <summary>Takes memory. Its content is undefined.</summary>
    public HugeMemory(long size)
    {
        Start = (byte*)NativeMemory.AlignedAlloc((nuint)size, size >= PageSize ? PageSize : (nuint)SmallPageSize);
        if (OperatingSystem.IsLinux() && size >= PageSize)
        {
            // Advice only: where there are no huge pages, small ones serve.
            _ = Advise(Start, (nuint)size, AdviseHugePage);
        }
    }

    /// <summary>Frees the memory.</summary>
    ~HugeMemory() => Release();

    /// <summary>The first byte.</summary>
    public byte* Start { get; private set; }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        NativeMemory.AlignedFree(Start);
        Start = null;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
