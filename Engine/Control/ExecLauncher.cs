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
    /// <returns>Why the program could not be run: ENOENT, EACCES, ...</returns>
    /// <exception cref="SystemCallException">The server cannot be reached, or the kernel refuses the filter.</exception>
    public static Errno Run(string socketPath, IReadOnlyList<string> command)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentOutOfRangeException.ThrowIfZero(command.Count);
        if (!SystemCallNumbers.IsKnown)
        {
            throw new PlatformNotSupportedException("engine exec knows the system calls of x86-64 and arm64 only.");
        }

        using SequencedSocket server = SequencedSocket.Connect(socketPath);
        int firstDescriptor = Math.Min(WantedFirstDescriptor, ProcessImage.ReadDescriptorLimit() / 2);
        using (FileDescriptor listener = SeccompFilter.Install(firstDescriptor))
        {
            server.SendDescriptor(firstDescriptor, listener);
        }

        Span<byte> ready = stackalloc byte[16];
        if (server.Receive(ready, out _) <= 0)
        {
            throw new SystemCallException($"hand-over to {socketPath}", Errno.ConnectionRefused);
        }

        return ProcessImage.Replace(command);
    }
}
