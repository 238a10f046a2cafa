using System.Buffers.Text;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Bench.Peers;

/// <summary>How long the thread that made it could have run and did not, because others had its processor, as the kernel counts it.</summary>
/// <remarks>The second number of <c>/proc/thread-self/schedstat</c> (Documentation/scheduler/sched-stats.rst). What a hypervisor takes is not in it.</remarks>
internal sealed class RunQueueDelay : IDisposable
{
    private readonly SafeFileHandle? _file;

    /// <summary>Of the calling thread.</summary>
    public RunQueueDelay()
    {
        const string Path = "/proc/thread-self/schedstat";
        _file = File.Exists(Path) ? File.OpenHandle(Path) : null;
    }

    /// <summary>Microseconds since the thread began; 0 where the kernel does not count them.</summary>
    public double ReadUs()
    {
        if (_file is null)
        {
            return 0;
        }

        Span<byte> text = stackalloc byte[64];
        text = text[..RandomAccess.Read(_file, text, 0)];
        int start = text.IndexOf((byte)' ') + 1;
        return Utf8Parser.TryParse(text[start..], out long nanoseconds, out _)
            ? nanoseconds / 1000.0
            : throw new InvalidOperationException($"/proc/thread-self/schedstat: {Encoding.ASCII.GetString(text)}");
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();
}
