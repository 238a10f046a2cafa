using System.Globalization;
using System.Numerics;
using Engine.Control;
using Engine.Primitives;

namespace Engine.Cli;

/// <summary>The verbs of dpctl that make, remove and list datapaths.</summary>
internal static class DpctlDatapaths
{
    // The only cache there is: which mask a packet's hash matched last.
    private const string MasksCache = "masks-cache";

    /// <summary><c>add-dp DP [IFACE...]</c>.</summary>
    public static Errno Add(DpctlSession session, IReadOnlyList<string> words)
    {
        Errno errno = DpctlSession.TryReadName(words[1], out string name);
        if (errno == Errno.None)
        {
            errno = session.Client.AddDatapath(name);
        }

        return errno != Errno.None ? session.Fail(errno, "add_dp", new DpctlPlace(1))
            : words.Count > 2 ? DpctlPorts.Add(session, words)
            : Errno.None;
    }

    /// <summary><c>del-dp DP</c>.</summary>
    public static Errno Delete(DpctlSession session, IReadOnlyList<string> words)
    {
        Errno errno = session.Open(words[1], out DatapathEntry? datapath);
        if (errno != Errno.None)
        {
            return session.Fail(errno, "opening datapath", new DpctlPlace(1));
        }

        errno = session.Client.DeleteDatapath(datapath!.Name);
        return errno == Errno.None ? errno : session.Fail(errno, "del_dp", new DpctlPlace(1));
    }

    /// <summary><c>dump-dps</c>.</summary>
    public static Errno Dump(DpctlSession session, IReadOnlyList<string> words)
    {
        Errno errno = session.Client.ListDatapaths(out List<DatapathEntry> datapaths);
        if (session.Options.IsJson)
        {
            DpctlJson.Write(session.Output, datapaths.ConvertAll(static datapath => datapath.Name));
            return errno;
        }

        foreach (DatapathEntry datapath in datapaths)
        {
            session.Output.WriteLine($"system@{datapath.Name}");
        }

        return errno;
    }

    /// <summary><c>cache-get-size [DP]</c>.</summary>
    public static Errno ShowCaches(DpctlSession session, IReadOnlyList<string> words)
    {
        Errno errno;
        List<DatapathEntry> datapaths = [];
        if (words.Count > 1)
        {
            errno = session.Open(words[1], out DatapathEntry? datapath);
            if (errno != Errno.None)
            {
                return session.Fail(errno, $"Opening datapath {words[1]} failed", new DpctlPlace(1));
            }

            datapaths.Add(datapath!);
        }
        else
        {
            errno = session.Client.ListDatapaths(out datapaths);
        }

        foreach (DatapathEntry datapath in datapaths)
        {
            session.Output.WriteLine($"system@{datapath.Name}:");
            WriteCaches(session.Output, datapath);
        }

        return errno;
    }

    /// <summary><c>cache-set-size DP CACHE SIZE</c>.</summary>
    public static Errno SetCacheSize(DpctlSession session, IReadOnlyList<string> words)
    {
        if (!uint.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out uint size))
        {
            return session.Fail(Errno.InvalidArgument, "size is malformed", new DpctlPlace(3));
        }

        Errno errno = session.Open(words[1], out DatapathEntry? datapath);
        if (errno != Errno.None)
        {
            return session.Fail(errno, $"Opening datapath {words[1]} failed", new DpctlPlace(1));
        }

        if (words[2] != MasksCache)
        {
            return session.Fail(Errno.InvalidArgument, $"Cache name \"{words[2]}\" not found on dpif", new DpctlPlace(2));
        }

        // The engine takes powers of two.
        size = BitOperations.RoundUpToPowerOf2(size);
        errno = session.Client.SetMasksCacheSize(datapath!.Name, size);
        if (errno != Errno.None)
        {
            return session.Fail(errno, "Setting cache size failed", new DpctlPlace(3));
        }

        session.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Setting cache size successful, new size {size}"));
        return Errno.None;
    }

    /// <summary>Prints the caches of a datapath.</summary>
    public static void WriteCaches(TextWriter output, DatapathEntry datapath)
    {
        if (datapath.MasksCacheSize is { } size)
        {
            output.WriteLine("  caches:");
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    {MasksCache}: size:{size}"));
        }
    }
}
