using System.Globalization;
using Engine.Tests.Golden;

namespace Engine.Tests.Conformance;

/// <summary>Every recorded control transcript, played against the server: answers, notifications and upcalls equal but for the bytes that vary.</summary>
public sealed class NetlinkGoldenTests(GoldenReport report) : IClassFixture<GoldenReport>
{
    public static TheoryData<string> Scenarios => [.. GoldenFiles.Netlink.Select(static scenario => scenario.Name)];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void The_server_answers_as_the_kernel_did(string name)
    {
        NetlinkScenario scenario = GoldenFiles.Netlink.Single(candidate => candidate.Name == name);
        if (GoldenCoverage.Awaits(scenario) is { } capability)
        {
            report.Awaiting("netlink", scenario.Group, capability);
            return;
        }

        report.Compared("netlink", scenario.Group);
        using TranscriptPlayer player = new(scenario);
        List<string> all = [];
        for (int i = 0; i < scenario.Steps.Length; i++)
        {
            NetlinkStep step = scenario.Steps[i];
            List<string> differences = player.Play(step);
            if (differences.Count != 0)
            {
                all.Add(string.Create(CultureInfo.InvariantCulture, $"step {i} {step.Op} {step.Family} {step.Cmd} {step.Note} errno {step.Errno}"));
                all.AddRange(differences);
            }
        }

        Assert.True(all.Count == 0, $"{all.Count(static line => line.StartsWith("step", StringComparison.Ordinal))} of {scenario.Steps.Length} steps differ\n" + string.Join('\n', all));
    }
}
