using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Engine.Platform;

/// <summary>The processor's time-stamp counter: the cycles in which costs of packets are told.</summary>
/// <remarks>
/// <para>.NET has no intrinsic for rdtsc, so on Linux on x86-64 this makes a function of thirteen bytes in a page of its own and calls it
/// through a pointer. Where a page cannot be made executable (a hardened kernel) or the processor is another one, ticks of the
/// monotonic clock are scaled by the processor's nominal frequency, and <see cref="IsExact"/> is false.</para>
/// <para>The counter runs at a constant rate (constant_tsc), whatever frequency the core has: a "cycle" is one of that rate.</para>
/// <para>Threads: any.</para>
/// </remarks>
public static unsafe partial class TimestampCounter
{
    private const int ProtRead = 1;
    private const int ProtWrite = 2;
    private const int ProtExec = 4;
    private const int MapPrivateAnonymous = 0x22;
    private const int PageSize = 4096;

    // Where no frequency can be found: a cycle is then a nanosecond.
    private const double FallbackFrequency = 1e9;

    // lfence: earlier loads are done (as the kernel's rdtsc_ordered). rdtsc: edx:eax. shl rdx, 32; or rax, rdx; ret.
    private static ReadOnlySpan<byte> Code => [0x0f, 0xae, 0xe8, 0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0, 0xc3];

    private static readonly delegate* unmanaged[SuppressGCTransition]<ulong> ReadCounter = MakeFunction();
    private static readonly double CyclesPerTick = ReadCounter != null ? 0 : NominalFrequency() / Stopwatch.Frequency;

    /// <summary>Whether cycles are counted by the processor, not derived from the clock.</summary>
    public static bool IsExact => ReadCounter != null;

    /// <summary>The counter now. Only differences mean something.</summary>
    public static ulong Now
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ReadCounter != null ? ReadCounter() : (ulong)(Stopwatch.GetTimestamp() * CyclesPerTick);
    }

    private static delegate* unmanaged[SuppressGCTransition]<ulong> MakeFunction()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return null;
        }

        // Written first and made executable afterwards: never both, as hardened kernels demand. It lives as long as the process.
        void* page = MapMemory(null, PageSize, ProtRead | ProtWrite, MapPrivateAnonymous, -1, 0);
        if (page == (void*)-1)
        {
            return null;
        }

        Code.CopyTo(new Span<byte>(page, PageSize));
        if (ProtectMemory(page, PageSize, ProtRead | ProtExec) != 0)
        {
            _ = UnmapMemory(page, PageSize);
            return null;
        }

        return (delegate* unmanaged[SuppressGCTransition]<ulong>)page;
    }

    // "cpu MHz : 2300.000" of /proc/cpuinfo.
    private static double NominalFrequency()
    {
        try
        {
            foreach (string line in File.ReadLines("/proc/cpuinfo"))
            {
                if (line.StartsWith("cpu MHz", StringComparison.Ordinal)
                    && double.TryParse(line.AsSpan(line.IndexOf(':') + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double megahertz))
                {
                    return megahertz * 1e6;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No such file on this system: the fallback stands.
        }

        return FallbackFrequency;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* MapMemory(void* address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int ProtectMemory(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int UnmapMemory(void* address, nuint length);
}
