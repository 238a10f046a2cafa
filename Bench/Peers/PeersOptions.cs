using System.Globalization;

namespace Bench.Peers;

/// <summary>The arguments of <c>peers</c>.</summary>
internal sealed record PeersOptions
{
    /// <summary>What is measured.</summary>
    public IReadOnlyList<PeerCase> Cases { get; init; } = [.. PeerCase.All.Where(peerCase => peerCase.IsDefault)];

    /// <summary>Where the results go as JSON; null for nowhere.</summary>
    public string? JsonPath { get; init; }

    /// <summary>Where the chart goes; null for nowhere.</summary>
    public string? SvgPath { get; init; }

    /// <summary>Seconds of one measurement.</summary>
    public double Seconds { get; init; } = 0.5;

    /// <summary>How often each contender has its turn.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>Whether peers are left out.</summary>
    public bool IsEngineOnly { get; init; }

    /// <summary>The command line again, for the results.</summary>
    public string CommandLine { get; init; } = string.Empty;

    /// <summary>Reads arguments.</summary>
    /// <exception cref="ArgumentException">One is wrong; the message says which.</exception>
    public static PeersOptions Parse(ReadOnlySpan<string> arguments)
    {
        List<PeerCase> cases = [];
        PeersOptions options = new() { CommandLine = $"dotnet run -c Release --project Bench -- peers {string.Join(' ', arguments!)}".TrimEnd() };
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i];
            if (name == "--engine-only")
            {
                options = options with { IsEngineOnly = true };
                continue;
            }

            if (++i == arguments.Length)
            {
                throw new ArgumentException($"{name}: unknown, or without a value. peers takes --case NAME|all, --json FILE, --svg FILE, --seconds S, --rounds N, --engine-only");
            }

            string value = arguments[i];
            switch (name)
            {
                case "--case":
                    cases.AddRange(Find(value));
                    break;
                case "--json":
                    options = options with { JsonPath = value };
                    break;
                case "--svg":
                    options = options with { SvgPath = value };
                    break;
                case "--seconds" when double.TryParse(value, CultureInfo.InvariantCulture, out double seconds) && seconds is > 0 and <= 3600:
                    options = options with { Seconds = seconds };
                    break;
                case "--rounds" when int.TryParse(value, CultureInfo.InvariantCulture, out int rounds) && rounds is > 0 and <= 1000:
                    options = options with { Rounds = rounds };
                    break;
                default:
                    throw new ArgumentException($"{name} {value}: not understood");
            }
        }

        return cases.Count == 0 ? options : options with { Cases = cases };
    }

    private static IEnumerable<PeerCase> Find(string name)
    {
        if (name == "all")
        {
            return PeerCase.All;
        }

        return PeerCase.All.FirstOrDefault(peerCase => peerCase.Name == name) is { } found
            ? [found]
            : throw new ArgumentException($"--case {name}: none of {string.Join(", ", PeerCase.All.Select(peerCase => peerCase.Name))}, all");
    }
}
