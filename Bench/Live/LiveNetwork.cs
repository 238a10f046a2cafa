using System.Runtime.ExceptionServices;
using Engine.Platform;

namespace Bench.Live;

/// <summary>Two hosts in namespaces of their own, with default offloads, whose wires end as "left" and "right" in a third one, the switch's.</summary>
internal sealed unsafe class LiveNetwork : IDisposable
{
    // Of all namespaces and directories; the number of the process that made them follows.
    private const string Mark = "engine-bench-";

    private readonly string _prefix = $"{Mark}{Environment.ProcessId}";

    /// <summary>Makes the namespaces and devices.</summary>
    public LiveNetwork()
    {
        try
        {
            foreach (string name in (string[])[Left, Switch, Right])
            {
                Shell.Run($"ip netns add {name}; ip -n {name} link set lo up; ip netns exec {name} sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'");
            }

            Join(Left, "left", 1);
            Join(Right, "right", 2);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The host with 10.77.0.1.</summary>
    public string Left => $"{_prefix}-l";

    /// <summary>Where the devices are joined.</summary>
    public string Switch => $"{_prefix}-s";

    /// <summary>The host with 10.77.0.2.</summary>
    public string Right => $"{_prefix}-r";

    /// <summary>Removes what runs that were killed have left: namespaces, the programs in them, directories.</summary>
    public static void RemoveLeftovers()
    {
        foreach (string line in Shell.Run("ip netns list").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string name = line.Split(' ')[0];
            if (IsLeftover(name))
            {
                Shell.Run($"kill -9 $(ip netns pids {name}) 2>/dev/null || true; ip netns del {name}");
            }
        }

        foreach (string directory in Directory.EnumerateDirectories(Path.GetTempPath(), $"{Mark}*").Where(static directory => IsLeftover(Path.GetFileName(directory))))
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Makes a directory for what joins the wires.</summary>
    public string MakeDirectory() => Directory.CreateTempSubdirectory($"{_prefix}-").FullName;

    /// <summary>Gives the switch's end of the left wire NAPI, by GRO, which frames from <see cref="FrameSource"/> need; undone when disposed.</summary>
    public IDisposable PollLeft()
    {
        Shell.Run($"ip netns exec {Switch} ethtool -K left gro on");
        return new Undo(() => Shell.Run($"ip netns exec {Switch} ethtool -K left gro off"));
    }

    /// <summary>Calls a function on a thread of its own that is in a namespace; sockets and threads made there stay in it.</summary>
    public static T In<T>(string name, Func<T> function)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                using FileDescriptor descriptor = FileDescriptor.Open($"/run/netns/{name}", 0);
                SystemCallException.ThrowIfFailed(Libc.setns(descriptor.Number, Libc.CLONE_NEWNET), "setns");
                result = function();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    /// <summary>Runs shell commands in a namespace.</summary>
    public static string Run(string name, string commands) => Shell.Run($"ip netns exec {name} sh -ec '{commands}'");

    /// <summary>Removes the namespaces.</summary>
    public void Dispose()
    {
        foreach (string name in (string[])[Left, Right, Switch])
        {
            Shell.Run($"ip netns del {name} 2>/dev/null || true");
        }
    }

    // "engine-bench-PID-…" of a process that is no more.
    private static bool IsLeftover(string name) => name.StartsWith(Mark, StringComparison.Ordinal)
        && int.TryParse(name[Mark.Length..].Split('-')[0], out int process) && !Directory.Exists($"/proc/{process}");

    private void Join(string host, string end, int number)
    {
        Shell.Run($"""
            ip -n {Switch} link add {end} type veth peer name eth netns {host}
            ip -n {Switch} link set {end} up
            ip -n {host} link set eth address 02:00:00:00:77:0{number}
            ip -n {host} addr add 10.77.0.{number}/24 dev eth
            ip -n {host} link set eth up
            """);
    }
}
