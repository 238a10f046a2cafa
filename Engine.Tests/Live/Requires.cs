using System.Diagnostics;

namespace Engine.Tests.Live;

/// <summary>What a test needs of the machine. Where it is missing the test is skipped with the reason; under CI it fails.</summary>
internal static class Requires
{
    private static readonly Lazy<string?> MissingPrivilege = new(FindMissingPrivilege);

    /// <summary>The right to make network namespaces and devices, and to open raw sockets.</summary>
    public static void NetworkAdministration() => Demand(MissingPrivilege.Value);

    /// <summary>A program on the path.</summary>
    public static void Program(string name) => Demand(Find(name) is null ? $"The program {name} is not installed." : null);

    /// <summary>A file or device.</summary>
    public static void File(string path) => Demand(System.IO.File.Exists(path) ? null : $"There is no {path}.");

    private static void Demand(string? missing)
    {
        if (missing is null)
        {
            return;
        }

        Assert.False(Environment.GetEnvironmentVariable("CI") == "true", missing);
        Skip.If(true, missing);
    }

    private static string? Find(string program) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(System.IO.File.Exists);

    private static string? FindMissingPrivilege()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "Only on Linux.";
        }

        if (Find("ip") is null)
        {
            return "The program ip (package iproute2) is not installed.";
        }

        // The one question whose answer counts: can a namespace be made, and a device in it?
        string name = $"engine-{Environment.ProcessId}-probe";
        using Process process = Process.Start(new ProcessStartInfo("sh", ["-c", $"ip netns add {name} && ip -n {name} link add p type veth; r=$?; ip netns del {name}; exit $r"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : $"No network namespace can be made (CAP_SYS_ADMIN, CAP_NET_ADMIN): {error.Trim()}";
    }
}
