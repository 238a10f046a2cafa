using System.Globalization;
using Engine.Control;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Cli;

/// <summary>The verbs of dpctl that add, change and remove ports.</summary>
internal static class DpctlPorts
{
    // As Open vSwitch has them; gre64 and srv6 are not known to all of its versions.
    private static readonly Dictionary<string, VportType> _types = new()
    {
        ["system"] = VportType.Netdev,
        ["internal"] = VportType.Internal,
        ["vxlan"] = VportType.Vxlan,
        ["geneve"] = VportType.Geneve,
        ["gre"] = VportType.Gre,
        ["gre64"] = VportType.Gre64,
        ["ip6gre"] = VportType.Ip6Gre,
        ["erspan"] = VportType.Erspan,
        ["ip6erspan"] = VportType.Ip6Erspan,
        ["lisp"] = VportType.Lisp,
        ["gtpu"] = VportType.Gtpu,
        ["bareudp"] = VportType.BareUdp,
        ["srv6"] = VportType.Srv6,
    };

    /// <summary>The type that a word of Open vSwitch means; null for none.</summary>
    public static VportType? TypeOf(string name) => _types.TryGetValue(name, out VportType type) ? type : null;

    /// <summary>The UDP port that IANA has given to a type of tunnel; 0 where there is none.</summary>
    public static ushort UsualPort(VportType type) => type switch
    {
        VportType.Vxlan => 4789,
        VportType.Geneve => 6081,
        VportType.Lisp => 4341,
        VportType.Gtpu => 2152,
        _ => 0,
    };

    /// <summary>The type of a port in the words of Open vSwitch.</summary>
    public static string TypeName(VportType type) => _types.FirstOrDefault(pair => pair.Value == type).Key ?? "unknown";

    /// <summary><c>add-if DP IFACE...</c>.</summary>
    public static Errno Add(DpctlSession session, IReadOnlyList<string> words) => ForEach(session, words, Add);

    /// <summary><c>set-if DP IFACE...</c>: no type of port has options that can be changed.</summary>
    public static Errno Set(DpctlSession session, IReadOnlyList<string> words) => ForEach(session, words, Set);

    /// <summary><c>del-if DP IFACE...</c>.</summary>
    public static Errno Delete(DpctlSession session, IReadOnlyList<string> words) => ForEach(session, words, Delete);

    private static Errno ForEach(DpctlSession session, IReadOnlyList<string> words, Func<DpctlSession, IReadOnlyList<string>, DatapathEntry, int, Errno> action)
    {
        Errno last = session.Open(words[1], out DatapathEntry? datapath);
        if (last != Errno.None)
        {
            return session.Fail(last, "opening datapath", new DpctlPlace(1));
        }

        for (int i = 2; i < words.Count; i++)
        {
            Errno errno = action(session, words, datapath!, i);
            last = errno == Errno.None ? last : errno;
        }

        return last;
    }

    private static Errno Add(DpctlSession session, IReadOnlyList<string> words, DatapathEntry datapath, int word)
    {
        DpctlPlace place = new(word);
        Errno errno = DpctlInterface.TryRead(session, words[word], place, out DpctlInterface? wish);
        if (errno != Errno.None)
        {
            return errno;
        }

        // Where a device has to be there, it is looked for first.
        if (wish!.Type == VportType.Netdev && NetdevStats.TryRead(wish.Name, out _) == Errno.NoDevice)
        {
            return session.Fail(Errno.NoDevice, $"{wish.Name}: failed to open network device", place);
        }

        errno = session.Client.AddVport(datapath.Ifindex, wish.ToRequest(), wish.Number);
        if (errno != Errno.None)
        {
            return session.Fail(errno, $"adding {wish.Name} to {words[1]} failed", place);
        }

        if (wish.Type is VportType.Netdev or VportType.Internal)
        {
            errno = SetUp(wish.Name);
            if (errno != Errno.None)
            {
                return session.Fail(errno, $"{wish.Name}: failed bringing interface up", place);
            }
        }

        return Errno.None;
    }

    private static Errno SetUp(string name)
    {
        Refusal refusal = Netdev.TryOpen(name, out Netdev? device);
        using (device)
        {
            return device?.TrySetUp(true) ?? refusal.Errno;
        }
    }

    private static Errno Set(DpctlSession session, IReadOnlyList<string> words, DatapathEntry datapath, int word)
    {
        DpctlPlace place = new(word);
        string[] parts = words[word].Split(',', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0)
        {
            return session.Fail(Errno.None, $"{words[word]} is not a valid network device name", place);
        }

        Errno errno = session.Client.FindVport(datapath.Ifindex, parts[0], out VportEntry? port);
        if (errno != Errno.None)
        {
            return session.Fail(errno, $"{parts[0]}: failed to query port in {words[1]}", place);
        }

        string type = TypeName(port!.Type);
        foreach (string part in parts.Skip(1))
        {
            (string key, string value) = DpctlInterface.Split(part);
            string? refusal = key switch
            {
                "type" => value == type ? null : $"{parts[0]}: can't change type from {type} to {value}",
                "port_no" => value == port.Number.ToString(CultureInfo.InvariantCulture) ? null
                    : string.Create(CultureInfo.InvariantCulture, $"{parts[0]}: can't change port number from {port.Number} to {value}"),
                _ => $"{parts[0]}: option {key} cannot be changed; remove the port and add it again",
            };
            if (refusal is not null)
            {
                return session.Fail(Errno.None, refusal, place);
            }
        }

        return Errno.None;
    }

    private static Errno Delete(DpctlSession session, IReadOnlyList<string> words, DatapathEntry datapath, int word)
    {
        string name = words[word];
        DpctlPlace place = new(word);
        if (!uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out uint number))
        {
            if (session.Client.FindVport(datapath.Ifindex, name, out VportEntry? port) != Errno.None)
            {
                session.Fail(Errno.None, $"no port named {name}", place);
                return Errno.NoEntry;
            }

            number = port!.Number;
        }

        Errno errno = session.Client.DeleteVport(datapath.Ifindex, number);
        return errno == Errno.None ? errno : session.Fail(errno, $"deleting port {name} from {words[1]} failed", place);
    }
}
