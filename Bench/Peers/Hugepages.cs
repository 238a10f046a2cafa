using System.Globalization;

namespace Bench.Peers;

/// <summary>Hugepages of 2 MiB that a DPDK peer needs: asked for at the start, given back at the end.</summary>
internal sealed class Hugepages : IDisposable
{
    private const string Path = "/proc/sys/vm/nr_hugepages";

    private readonly long _before;
    private readonly bool _hasChanged;

    /// <summary>Asks for pages, beside those that others have.</summary>
    public Hugepages(int pages)
    {
        if (!File.Exists(Path))
        {
            Missing = "no hugepages in this kernel";
            return;
        }

        _before = Read();
        long free = long.Parse(
            File.ReadLines("/proc/meminfo").First(line => line.StartsWith("HugePages_Free:", StringComparison.Ordinal)).Split(':')[1], CultureInfo.InvariantCulture);
        if (free >= pages)
        {
            return;
        }

        try
        {
            File.WriteAllText(Path, (_before + pages - free).ToString(CultureInfo.InvariantCulture));
            _hasChanged = true;
            AppDomain.CurrentDomain.ProcessExit += GiveBack;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Missing = $"{pages} hugepages of 2 MiB: {exception.Message}";
            return;
        }

        long got = Read() - _before + free;
        Missing = got < pages ? $"{pages} hugepages of 2 MiB: the kernel could give {got}" : null;
    }

    /// <summary>Why there are none; null when there are.</summary>
    public string? Missing { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_hasChanged)
        {
            AppDomain.CurrentDomain.ProcessExit -= GiveBack;
            GiveBack(null, EventArgs.Empty);
        }
    }

    private void GiveBack(object? sender, EventArgs arguments) => File.WriteAllText(Path, _before.ToString(CultureInfo.InvariantCulture));

    private static long Read() => long.Parse(File.ReadAllText(Path), CultureInfo.InvariantCulture);
}
