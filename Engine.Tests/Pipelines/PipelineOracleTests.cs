using System.Text;
using Engine.Actions;
using Engine.Flows;
using Engine.Tests.Oracles;
using Engine.Text;
using Xunit.Abstractions;

namespace Engine.Tests.Pipelines;

/// <summary>A compiled pipeline and the dynamic table with the same flows do the same to the same packets.</summary>
public sealed class PipelineOracleTests(ITestOutputHelper output)
{
    private const int Seeds = 20;
    private const int PacketsOfSeed = 52_000;

    /// <summary>More than a million packets in all, over flow sets of every size from 1 on.</summary>
    public static TheoryData<int> AllSeeds => [.. Enumerable.Range(1, Seeds)];

    [Theory]
    [MemberData(nameof(AllSeeds))]
    public void Random_packets_over_random_flows_end_alike(int seed)
    {
        PacketMix mix = new(seed);
        List<string> flows = [];
        foreach ((FlowKey key, FlowKey mask, ActionList actions) in new FlowMix(mix).Next(1 << (seed % 10)))
        {
            StringBuilder text = new();
            FlowText.Format(text, in key, in mask, verbose: true);
            ActionText.Format(text.Append(' '), actions.Attributes);
            if (CanBeSaid(text.ToString()))
            {
                flows.Add(text.ToString());
            }
        }

        int count = flows.Count;
        string table = string.Join('\n', flows);
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", table));
        Assert.Empty(run.Reported);
        using Comparison comparison = new(run.Load().GetType("Sample.Edge")!, table);
        comparison.Play(mix, PacketsOfSeed);
        string outcome = comparison.AssertSame($"seed {seed}");
        output.WriteLine($"seed {seed}: {count} flows, {PacketsOfSeed} packets, {outcome}");
    }

    // The text form cannot say everything that a mask can, for instance more than 20 bits of a flow label, or labels but not how many.
    private static bool CanBeSaid(string text) =>
        !text.Contains("(bad key length 0)", StringComparison.Ordinal)
        && FlowFile.TryParse("flow", text, out IReadOnlyList<FlowLine> lines, out _) && lines[0].Install(new FlowTable(1), out _) is null;
}
