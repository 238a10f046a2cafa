using Engine.Cli;

namespace Engine.Tests.Cli;

/// <summary>Where verbs look for an engine, and what they say when it cannot be there.</summary>
public sealed class SocketOptionTests
{
    [Theory]
    [InlineData("run")]
    [InlineData("wait")]
    [InlineData("dpctl show")]
    [InlineData("exec true")]
    public void A_path_that_no_socket_can_have_is_refused(string verb)
    {
        foreach (int length in new[] { 0, 108 })
        {
            (int exitCode, string output, string error) = Run([.. verb.Split(' '), "--socket", new string('x', length)]);
            Assert.Equal((2, string.Empty), (exitCode, output));
            Assert.Equal($"engine: The path of a socket has 1 to 107 bytes, --socket has {length}.\nTry 'engine {verb.Split(' ')[0]} --help'.\n", error);
        }
    }

    [Theory]
    [InlineData("wait --timeout 0.01", "engine wait: no engine serves ")]
    [InlineData("dpctl show", "engine dpctl: connect ")]
    public void Where_nobody_serves_it_says_so(string verb, string said)
    {
        string path = Path.Combine(Path.GetTempPath(), $"engine-{Guid.NewGuid():n}.sock");
        (int exitCode, string output, string error) = Run([.. verb.Split(' '), "--socket", path]);
        Assert.Equal((2, string.Empty), (exitCode, output));
        Assert.StartsWith(said, error, StringComparison.Ordinal);
        Assert.EndsWith($"connect {path}: No such file or directory.\n", error, StringComparison.Ordinal);
    }

    private static (int ExitCode, string Output, string Error) Run(string[] arguments)
    {
        using StringWriter output = new(), error = new();
        int exitCode = EngineCommand.Run(arguments, output, error);
        return (exitCode, output.ToString(), error.ToString());
    }
}
