using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;

namespace Engine.Cli;

/// <summary>Prints a report: tables for people, JSON for programs.</summary>
internal static class ReplayOutput
{
    // Where nobody's window sets a limit, lines are not broken.
    private const int UnlimitedWidth = 10_000;

    // Flows hold plus signs, which need no escape outside of HTML.
    private static readonly ReplayJsonContext Json = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>Whether what is written there reaches a terminal.</summary>
    public static bool IsTerminal(TextWriter output) => ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;

    /// <summary>Prints it.</summary>
    public static void Write(ReplayReport report, ReplayOptions options, TextWriter output)
    {
        if (options.IsJson)
        {
            output.WriteLine(JsonSerializer.Serialize(report, Json.ReplayReport));
            return;
        }

        bool isTerminal = IsTerminal(output);
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = InteractionSupport.No,
        });
        if (!isTerminal)
        {
            console.Profile.Width = UnlimitedWidth;
        }

        WriteSummary(console, report, options.LoopSeconds is not null);
        WritePorts(console, report);
        WriteFlows(console, report);
        WriteDrops(console, report);
    }

    private static void WriteSummary(IAnsiConsole console, ReplayReport report, bool isLoop)
    {
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Packets:N0} packets, {report.Bytes:N0} bytes in {report.Seconds:0.000} s"));
        if (isLoop && report.Packets != 0)
        {
            double nanoseconds = report.Seconds * 1e9 / report.Packets;
            console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{report.Mpps:0.00} Mpps; a packet: {nanoseconds:0.0} ns, {report.CyclesPerPacket:0.0} cycles, {report.AllocatedBytesPerPacket:0.##} bytes allocated"));
        }
    }

    private static void WritePorts(IAnsiConsole console, ReplayReport report)
    {
        Table table = NewTable("Port", "Rx packets", "Rx bytes", "Tx packets", "Tx bytes");
        foreach ((uint number, PortReport port) in report.Ports)
        {
            table.AddRow(Count(number), Count(port.RxPackets), Count(port.RxBytes), Count(port.TxPackets), Count(port.TxBytes));
        }

        console.Write(table);
    }

    private static void WriteFlows(IAnsiConsole console, ReplayReport report)
    {
        Table table = NewTable("Packets", "Bytes");
        table.AddColumn(new TableColumn("Flow"));
        foreach (FlowReport flow in report.Flows)
        {
            table.AddRow(Count(flow.Packets), Count(flow.Bytes), Markup.Escape(flow.Flow));
        }

        console.Write(table);
    }

    private static void WriteDrops(IAnsiConsole console, ReplayReport report)
    {
        Table table = NewTable("Missed and dropped", "Packets");
        table.Columns[0].LeftAligned();
        table.AddRow("missed (matched no flow)", Count(report.Missed));
        foreach ((string reason, ulong count) in report.Drops)
        {
            table.AddRow($"dropped: {reason}", Count(count));
        }

        console.Write(table);
    }

    private static Table NewTable(params string[] columns)
    {
        Table table = new Table().Border(TableBorder.Rounded);
        foreach (string column in columns)
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        return table;
    }

    private static string Count(ulong number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
