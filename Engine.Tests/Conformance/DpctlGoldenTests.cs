using Engine.Tests.Golden;

namespace Engine.Tests.Conformance;

/// <summary>Every message that the recorded ovs-dpctl commands and ovs-vswitchd sent, played against the server: answers equal but for the bytes that vary.</summary>
public sealed class DpctlGoldenTests(GoldenReport report) : IClassFixture<GoldenReport>
{
    // The commands build on one another, so they are played once, in order.
    private static readonly Lazy<Dictionary<string, List<string>>> Differences = new(PlayAll);

    public static TheoryData<string> Commands => [.. GoldenFiles.Dpctl.Select(static vector => vector.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void The_server_answers_the_programs_as_the_kernel_did(string name)
    {
        report.Compared("dpctl: messages", name.Split('-')[0]);
        List<string> differences = Differences.Value[name];
        Assert.True(differences.Count == 0, $"{differences.Count} differences\n" + string.Join('\n', differences));
    }

    private static Dictionary<string, List<string>> PlayAll()
    {
        using DpctlPlayer player = new();
        DpctlGaps gaps = new(GoldenFiles.Dpctl);
        Dictionary<string, List<string>> differences = [];
        foreach (DpctlVector vector in GoldenFiles.Dpctl)
        {
            differences.Add(vector.Name, player.Play(vector, gaps));
        }

        return differences;
    }
}
