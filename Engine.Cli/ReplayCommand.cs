using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Engine.Vports;

namespace Engine.Cli;

/// <summary><c>engine replay</c>: plays a capture through a flow table.</summary>
internal static class ReplayCommand
{
    private const int SecondsOfADay = 86_400;

    /// <summary>Makes the verb.</summary>
    public static Command Create()
    {
        Argument<string> capture = new("IN") { Description = "Capture to play: pcap or pcapng, of Ethernet." };
        Option<string?> flows = new("--flows")
        {
            Description = "Flows, one a line, as ovs-dpctl prints them: KEY ACTIONS or KEY, actions:ACTIONS. # begins a comment.",
            HelpName = "FILE",
        };
        Option<string?> pipeline = new("--pipeline")
        {
            Description = "Assembly with a class marked [Pipeline], compiled flows that packets go through before those of --flows. It is run: name none that you do not trust.",
            HelpName = "ASSEMBLY",
        };
        Option<uint> inPort = new("--in-port")
        {
            Description = "Number of the port by which the packets come in.",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
            CustomParser = ParsePort,
        };
        Option<string?> outDirectory = new("--out-dir")
        {
            Description = "Write what each port sends to DIR/port-N.pcap. DIR is made if it does not exist.",
            HelpName = "DIR",
        };
        Option<double?> loop = new("--loop")
        {
            Description = "Measure: play the capture from memory, again and again for so long, into ports that discard.",
            HelpName = "SECONDS",
            CustomParser = ParseSeconds,
        };
        Option<bool> json = new("--json") { Description = "Print one JSON object instead of tables." };

        Command command = new("replay", "Play a capture through flows; count, and write what comes out.")
        {
            capture, flows, pipeline, inPort, outDirectory, loop, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(flows) is null && result.GetResult(pipeline) is null)
            {
                result.AddError("Option '--flows' or '--pipeline' is required.");
            }
        });
        command.SetAction(parsed => Replay.Run(
            new ReplayOptions
            {
                CapturePath = parsed.GetRequiredValue(capture),
                FlowsPath = parsed.GetValue(flows),
                PipelinePath = parsed.GetValue(pipeline),
                InPort = parsed.GetValue(inPort),
                OutDirectory = parsed.GetValue(outDirectory),
                LoopSeconds = parsed.GetValue(loop),
                IsJson = parsed.GetValue(json),
            },
            parsed.InvocationConfiguration.Output,
            parsed.InvocationConfiguration.Error));
        return command;
    }

    private static uint ParsePort(ArgumentResult result)
    {
        if (uint.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out uint port) && port <= VportTable.MaximumNumber)
        {
            return port;
        }

        result.AddError($"--in-port {result.Tokens[0].Value}: expected a number from 0 to {VportTable.MaximumNumber}");
        return 0;
    }

    private static double? ParseSeconds(ArgumentResult result)
    {
        if (double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds is > 0 and <= SecondsOfADay)
        {
            return seconds;
        }

        result.AddError($"--loop {result.Tokens[0].Value}: expected a number of seconds above 0 and up to {SecondsOfADay}");
        return null;
    }
}
