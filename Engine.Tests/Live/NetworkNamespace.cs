using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Engine.Platform;

namespace Engine.Tests.Live;

/// <summary>A network namespace that a test made and that goes with it, devices included.</summary>
internal sealed unsafe class NetworkNamespace : IDisposable
{
    private static int _made;

    /// <summary>Makes an empty namespace with its loopback device up.</summary>
    public NetworkNamespace()
    {
        Name = $"engine-{Environment.ProcessId}-{Interlocked.Increment(ref _made)}";
        Shell($"ip netns add {Name}");
        try
        {
            Run("ip link set lo up");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Its name for <c>ip netns</c>.</summary>
    public string Name { get; }

    /// <summary>Runs shell commands in the namespace.</summary>
    /// <returns>What they wrote.</returns>
    /// <exception cref="InvalidOperationException">They failed; the message holds what they wrote.</exception>
    public string Run(string commands) => Shell($"ip netns exec {Name} sh -ec '{commands}'");

    /// <summary>Starts a program in the namespace.</summary>
    public Process Start(string command) => Process.Start(new ProcessStartInfo("ip", ["netns", "exec", Name, .. command.Split(' ')])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    /// <summary>Calls a function on a thread of its own that is in the namespace; sockets made there stay in it.</summary>
    public T Call<T>(Func<T> function)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                Enter();
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

    /// <summary>Removes the namespace.</summary>
    public void Dispose()
    {
        try
        {
            Shell($"ip netns del {Name}");
        }
        catch (InvalidOperationException)
        {
            // A test may have deleted it.
        }
    }

    /// <summary>Runs shell commands in the namespace of the machine.</summary>
    private static string Shell(string commands)
    {
        using Process process = Process.Start(new ProcessStartInfo("sh", ["-ec", commands]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{commands}: exit {process.ExitCode}\n{output}{error.Result}");
    }

    private void Enter()
    {
        using FileDescriptor descriptor = FileDescriptor.Open($"/run/netns/{Name}", 0);
        SystemCallException.ThrowIfFailed(Libc.setns(descriptor.Number, Libc.CLONE_NEWNET), "setns");
    }
}
