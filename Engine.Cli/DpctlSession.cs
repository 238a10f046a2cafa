using System.Runtime.InteropServices;
using Engine.Control;
using Engine.Primitives;
using Engine.Text;

namespace Engine.Cli;

/// <summary>Where a verb of dpctl runs: the engine it talks to, its options, and where its words go.</summary>
/// <param name="client">The engine.</param>
/// <param name="output">What was asked for.</param>
/// <param name="error">What went wrong.</param>
/// <param name="prefix">What an error begins with, by where it is.</param>
internal sealed class DpctlSession(DatapathClient client, TextWriter output, TextWriter error, Func<DpctlPlace, string> prefix)
{
    /// <summary>The engine.</summary>
    public DatapathClient Client { get; } = client;

    /// <summary>What was asked for goes here.</summary>
    public TextWriter Output { get; } = output;

    /// <summary>The options.</summary>
    public DpctlOptions Options { get; set; } = new();

    /// <summary>Whether anything went wrong, also what a verb passes over.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Tells what went wrong, as ovs-dpctl does: the sentence, and the errno in parentheses if there is one.</summary>
    /// <param name="errno">The errno, or none.</param>
    /// <param name="sentence">What was tried.</param>
    /// <param name="place">The word at fault.</param>
    /// <param name="reason">Why, where that is known; null for what the engine said.</param>
    /// <returns>The errno; EINVAL where there is none.</returns>
    public Errno Fail(Errno errno, string sentence, DpctlPlace place = default, string? reason = null)
    {
        HasFailed = true;
        string suffix = errno == Errno.None ? string.Empty : $" ({Describe(errno)})";
        reason ??= errno == Errno.None ? null : Client.Connection.Reason;
        error.WriteLine($"{prefix(place)}{sentence}{suffix}{(reason is null ? string.Empty : $": {reason}")}");
        return errno == Errno.None ? Errno.InvalidArgument : errno;
    }

    /// <summary>Opens the datapath of a name such as <c>dp0</c> or <c>system@dp0</c>.</summary>
    public Errno Open(string word, out DatapathEntry? datapath)
    {
        datapath = null;
        Errno errno = TryReadName(word, out string name);
        return errno == Errno.None ? Client.FindDatapath(name, out datapath) : errno;
    }

    /// <summary>Reads the name of a datapath: <c>dp0</c> or <c>system@dp0</c>.</summary>
    /// <returns>EAFNOSUPPORT for a type that is not the kernel's.</returns>
    public static Errno TryReadName(string word, out string name)
    {
        int at = word.IndexOf('@', StringComparison.Ordinal);
        name = word[(at + 1)..];
        return at < 0 || word.AsSpan(0, at).SequenceEqual("system") ? Errno.None : Errno.AddressFamilyNotSupported;
    }

    /// <summary>Opens the datapath that a verb may leave out when there is only one.</summary>
    /// <param name="words">The verb and its arguments.</param>
    /// <param name="most">How many there are when the datapath is named for certain.</param>
    /// <param name="datapath">The datapath.</param>
    /// <returns>An error that has been told.</returns>
    public Errno OpenNamedOrOnly(IReadOnlyList<string> words, int most, out DatapathEntry? datapath)
    {
        datapath = null;
        if (words.Count > 1 && Open(words[1], out datapath) == Errno.None)
        {
            return Errno.None;
        }

        if (words.Count != most)
        {
            Errno errno = Client.ListDatapaths(out List<DatapathEntry> all);
            if (errno == Errno.None && all.Count == 1)
            {
                datapath = all[0];
                return Errno.None;
            }

            Fail(Errno.None, all.Count == 0 ? "no datapaths exist" : "multiple datapaths, specify one");
        }

        return Fail(Errno.InvalidArgument, "datapath not found", new DpctlPlace(1));
    }

    /// <summary>The ports of a datapath for use in texts of flows.</summary>
    public IPortNames ReadPortNames(DatapathEntry datapath)
    {
        _ = Client.ListVports(datapath.Ifindex, out List<VportEntry> ports);
        return new PortNames(ports);
    }

    // The words of the C library, which ovs-dpctl prints.
    private static string Describe(Errno errno) => Marshal.GetPInvokeErrorMessage((int)errno);

    private sealed class PortNames(List<VportEntry> ports) : IPortNames
    {
        public bool TryGetNumber(string name, out uint number)
        {
            VportEntry? port = ports.Find(other => other.Name == name);
            number = port?.Number ?? 0;
            return port is not null;
        }

        public bool TryGetName(uint number, out string name)
        {
            VportEntry? port = ports.Find(other => other.Number == number);
            name = port?.Name ?? string.Empty;
            return port is not null;
        }
    }
}
