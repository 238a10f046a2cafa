using Engine.Platform;
using Engine.Primitives;

namespace Engine.Control;

/// <summary>Turns this process into a program whose generic netlink sockets reach a <see cref="SocketServer"/>, and with it all that it starts.</summary>
public static class ExecLauncher
{
    // Descriptors below are left to the program: that many it can open before it meets its own netlink sockets.
    private const int WantedFirstDescriptor = 1 << 16;

    /// <summary>Hands this process's calls over and becomes the program. Returns only when that fails.</summary>
    /// <param name="socketPath">Where the server is.</param>
    /// <param name="command">The program and its arguments; it is looked for in PATH.</param>
    /// <param name="keeper">The command that runs <see cref="ExecKeeper"/> with the launcher's socket as its standard input.</param>
    /// <returns>Why the program could not be run: ENOENT, EACCES, ...</returns>
    /// <exception cref="SystemCallException">The server cannot be reached, or the kernel refuses the filter.</exception>
    public static Errno Run(string socketPath, IReadOnlyList<string> command, IReadOnlyList<string> keeper)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentNullException.ThrowIfNull(keeper);
        ArgumentOutOfRangeException.ThrowIfZero(command.Count);
        if (!SystemCallNumbers.IsKnown)
        {
            throw new PlatformNotSupportedException("engine exec knows the system calls of x86-64 and arm64 only.");
        }

        using SequencedSocket server = SequencedSocket.Connect(socketPath);
        using SequencedSocket kept = StartKeeper(keeper);
        using PendingCalls pending = new();
        int firstDescriptor = Math.Min(WantedFirstDescriptor, ProcessImage.ReadDescriptorLimit() / 2);
        using FileDescriptor listener = SeccompFilter.Install(firstDescriptor);
        ExecMessage pendingMessage = new() { Kind = ExecMessageKind.Pending };
        ExecMessage listenerMessage = new() { Kind = ExecMessageKind.Listener, FirstDescriptor = firstDescriptor };
        Span<byte> ready = stackalloc byte[16];
        if (!pendingMessage.TrySend(server, pending.Descriptor) || !listenerMessage.TrySend(server, listener) || server.Receive(ready, out _) <= 0)
        {
            throw new SystemCallException($"hand-over to {socketPath}", Errno.ConnectionRefused);
        }

        // The keeper only now: it listens at the same connection. Without it the program runs all the same.
        _ = new ExecMessage { Kind = ExecMessageKind.Server }.TrySend(kept, server.Descriptor)
            && pendingMessage.TrySend(kept, pending.Descriptor)
            && listenerMessage.TrySend(kept, listener);
        return ProcessImage.Replace(command);
    }

    // Before the filter is there, and by a shell that ends at once: so the keeper is no child of the program, which may wait for all of its children.
    private static SequencedSocket StartKeeper(IReadOnlyList<string> command)
    {
        SequencedSocket ours = SequencedSocket.TryPair(isSecondNonBlocking: false, out SequencedSocket? theirs)
            ?? throw new SystemCallException("socketpair", Libc.LastErrno);
        using (theirs)
        {
            ProcessImage.StartInBackground(command, theirs!.Descriptor);
        }

        return ours;
    }
}
