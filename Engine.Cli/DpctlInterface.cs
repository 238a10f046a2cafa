using System.Collections.Immutable;
using System.Globalization;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Cli;

/// <summary>A word of add-if: a device and its options, <c>eth1,type=system,port_no=3</c>.</summary>
internal sealed record DpctlInterface
{
    private const int MostRings = 256;

    /// <summary>Name of the device.</summary>
    public required string Name { get; init; }

    /// <summary>What the port is to be.</summary>
    public VportType Type { get; private set; } = VportType.Netdev;

    /// <summary>Its number; null for the first that is free.</summary>
    public uint? Number { get; private set; }

    private VportOptions Options { get; set; } = VportOptions.Default;

    private ushort? DestinationPort { get; set; }

    private bool HasGroupPolicy { get; set; }

    /// <summary>Reads a word.</summary>
    /// <param name="session">Where to tell what is wrong.</param>
    /// <param name="word">The word.</param>
    /// <param name="place">Its place.</param>
    /// <param name="wish">What it says.</param>
    /// <returns>An error that has been told.</returns>
    public static Errno TryRead(DpctlSession session, string word, DpctlPlace place, out DpctlInterface? wish)
    {
        wish = null;
        string[] parts = word.Split(',', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0)
        {
            return session.Fail(Errno.None, $"{word} is not a valid network device name", place);
        }

        DpctlInterface read = new() { Name = parts[0] };
        HashSet<string> seen = [];
        int offset = word.IndexOf(parts[0], StringComparison.Ordinal) + parts[0].Length;
        foreach (string part in parts.Skip(1))
        {
            offset = word.IndexOf(part, offset, StringComparison.Ordinal);
            (string key, string value) = Split(part);
            string? refusal = seen.Add(key) ? read.TrySet(key, value) : $"duplicate \"{key}\" option";
            if (refusal is not null)
            {
                bool isType = key == "type";
                return session.Fail(isType ? Errno.AddressFamilyNotSupported : Errno.None, refusal, place with { Offset = offset });
            }

            offset += part.Length;
        }

        wish = read;
        return Errno.None;
    }

    /// <summary>Cuts an option at its first equals sign.</summary>
    public static (string Key, string Value) Split(string option)
    {
        int at = option.IndexOf('=', StringComparison.Ordinal);
        return at < 0 ? (option, string.Empty) : (option[..at], option[(at + 1)..]);
    }

    /// <summary>What to ask the engine for. Tunnels have the names that Open vSwitch gives them.</summary>
    public VportRequest ToRequest()
    {
        if (Type is VportType.Netdev or VportType.Internal)
        {
            return new VportRequest(Name, Type) { Options = Options };
        }

        string prefix = Type switch { VportType.Geneve => "genev", VportType.BareUdp => "udp", _ => DpctlPorts.TypeName(Type) };
        if (!Type.IsUdpTunnel())
        {
            return new VportRequest($"{prefix}_sys", Type);
        }

        ushort port = DestinationPort ?? DpctlPorts.UsualPort(Type);
        return new VportRequest(string.Create(CultureInfo.InvariantCulture, $"{prefix}_sys_{port}"), Type)
        {
            DestinationPort = port,
            HasGroupPolicy = HasGroupPolicy,
        };
    }

    // Empty when they make no sense.
    private static ImmutableArray<int> ReadWorkers(string value)
    {
        ImmutableArray<int>.Builder workers = ImmutableArray.CreateBuilder<int>();
        foreach (string part in value.Split('+'))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int worker))
            {
                return [];
            }

            workers.Add(worker);
        }

        return workers.ToImmutable();
    }

    // A sentence when the option makes no sense.
    private string? TrySet(string key, string value)
    {
        switch (key)
        {
            case "type":
                VportType? type = DpctlPorts.TypeOf(value.Length == 0 ? "system" : value);
                Type = type ?? Type;
                return type is null ? $"{Name}: failed to open network device" : null;
            case "port_no":
                bool isNumber = uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint number);
                Number = number;
                return isNumber ? null : $"{Name}: port_no={value}: expected a number";
            case "dst_port":
                bool isPort = ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port);
                DestinationPort = port;
                return isPort ? null : $"{Name}: dst_port={value}: expected a UDP port";
            case "driver" when Type == VportType.Netdev:
                NetdevDriverKind? driver = value switch
                {
                    "auto" => NetdevDriverKind.Auto,
                    "xdp" => NetdevDriverKind.Xdp,
                    "packet" => NetdevDriverKind.Packet,
                    "uring" => NetdevDriverKind.Uring,
                    _ => null,
                };
                Options = Options with { Driver = driver ?? default };
                return driver is null ? $"{Name}: driver={value}: expected auto, xdp, packet or uring" : null;
            case "rings" when Type == VportType.Netdev:
                bool isCount = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is > 0 and <= MostRings;
                Options = Options with { RingCount = count };
                return isCount ? null : $"{Name}: rings={value}: expected a number from 1 to {MostRings}";
            case "workers" when Type is VportType.Netdev or VportType.Internal:
                ImmutableArray<int> workers = ReadWorkers(value);
                Options = Options with { Workers = workers };
                return workers.IsEmpty ? $"{Name}: workers={value}: expected numbers with + between them" : null;
            case "exts" when value == "gbp":
                HasGroupPolicy = true;
                return null;
            case "remote_ip" or "local_ip" or "key" or "in_key" or "out_key" when value == "flow":
                // A port of a datapath always takes these from the flow.
                return null;
            default:
                return $"{Name}: unknown option {key}={value}";
        }
    }
}
