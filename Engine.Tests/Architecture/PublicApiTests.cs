using Engine.Flows;

namespace Engine.Tests.Architecture;

/// <summary>The public API of Engine is the text file beside this one; changing it is a decision that shows in review.</summary>
public sealed class PublicApiTests
{
    [Fact]
    public void The_public_api_is_what_PublicApi_txt_says()
    {
        string path = Path.Combine(Repository.Root, "Engine.Tests", "Architecture", "PublicApi.txt");
        string actual = PublicApi.Of(typeof(FlowKey).Assembly);
        if (Repository.UpdatesBaselines)
        {
            File.WriteAllText(path, actual);
        }

        string[] expected = File.ReadAllText(path).Split('\n');
        string[] found = actual.Split('\n');
        string[] differences = [.. expected.Except(found).Select(line => "- " + line), .. found.Except(expected).Select(line => "+ " + line)];
        Assert.True(
            expected.SequenceEqual(found),
            $"The public API changed; if that is meant, run this test with {Repository.UpdateVariable}=1 and review the difference.\n{string.Join('\n', differences)}");
    }
}
