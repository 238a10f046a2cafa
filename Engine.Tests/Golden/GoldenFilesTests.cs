namespace Engine.Tests.Golden;

/// <summary>The vectors themselves: that they are there, that nothing in them is lost by reading, and which of them wait for later work.</summary>
public sealed class GoldenFilesTests(GoldenReport report) : IClassFixture<GoldenReport>
{
    [Fact]
    public void Every_vector_of_every_file_is_read()
    {
        Assert.All(GoldenFiles.KeyExtract, vector => Assert.True(vector.Dropped || vector.Key is not null, vector.Name));
        Assert.All(GoldenFiles.Actions, vector => Assert.True(vector.IsSequence ? vector.Steps.Length > 0 : vector.Actions is not null, vector.Name));
        Assert.All(GoldenFiles.Netlink, scenario => Assert.NotEmpty(scenario.Steps));
        Assert.All(GoldenFiles.Dpctl, vector => Assert.NotEmpty(vector.Command));

        if (Environment.GetEnvironmentVariable(GoldenFiles.FolderVariable) is null or "")
        {
            Assert.Equal(
                (2385, 812, 69, 51),
                (GoldenFiles.KeyExtract.Count, GoldenFiles.Actions.Count, GoldenFiles.Netlink.Count, GoldenFiles.Dpctl.Count));
        }
    }

    [Fact]
    public void Vectors_that_wait_are_counted_with_the_capability_they_wait_for()
    {
        foreach (KeyExtractVector vector in GoldenFiles.KeyExtract)
        {
            Count("key_extract", vector.Category, GoldenCoverage.Awaits(vector));
        }

        foreach (ActionVector vector in GoldenFiles.Actions)
        {
            Count(vector.IsSequence ? "actions: sequences" : "actions: execute", vector.Category, GoldenCoverage.Awaits(vector));
        }

        foreach (NetlinkScenario scenario in GoldenFiles.Netlink)
        {
            Count("netlink", scenario.Group, GoldenCoverage.Awaits(scenario));
        }

        foreach (DpctlVector vector in GoldenFiles.Dpctl)
        {
            Count("dpctl", vector.Name.Split('-')[0], GoldenCoverage.Awaits(vector));
        }
    }

    private void Count(string file, string category, string? capability)
    {
        if (capability is not null)
        {
            report.Awaiting(file, category, capability);
        }
    }
}
