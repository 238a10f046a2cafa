using Engine.Primitives;
using Microsoft.Win32.SafeHandles;

namespace Engine.Platform;

/// <summary>A file descriptor that is closed when its owner disposes it, or is collected.</summary>
/// <remarks>Packet paths use <see cref="Number"/>, which is valid until the owner disposes the handle after its last call.</remarks>
internal sealed class FileDescriptor : SafeHandleMinusOneIsInvalid
{
    /// <summary>Takes the ownership of a descriptor.</summary>
    public FileDescriptor(int number)
        : base(ownsHandle: true) => SetHandle(number);

    /// <summary>The number the kernel knows it by.</summary>
    public int Number => (int)handle;

    /// <summary>Takes what a system call returned: a descriptor, or -1 for an error.</summary>
    /// <param name="result">The result of the call.</param>
    /// <param name="call">The call, for the message.</param>
    /// <exception cref="SystemCallException">The call failed.</exception>
    public static FileDescriptor FromCall(nint result, string call)
    {
        SystemCallException.ThrowIfFailed(result, call);
        return new FileDescriptor((int)result);
    }

    /// <summary>Opens a file or device, closed on exec.</summary>
    /// <exception cref="SystemCallException">open(2) failed.</exception>
    public static FileDescriptor Open(string path, int flags) => FromCall(Libc.open(path, flags | Libc.O_CLOEXEC), $"open {path}");

    /// <summary>Makes a socket, closed on exec and without blocking.</summary>
    /// <exception cref="SystemCallException">socket(2) failed; <see cref="Errno.NotPermitted"/> without the capability for the family.</exception>
    public static FileDescriptor Socket(int domain, int type, int protocol) =>
        FromCall(Libc.socket(domain, type | Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK, protocol), "socket");

    /// <summary>Keeps the descriptor open for calls on one thread while another may dispose it.</summary>
    public Held Hold() => new(this);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;

    /// <summary>A descriptor that is not closed before this is disposed.</summary>
    internal readonly ref struct Held
    {
        private readonly FileDescriptor? _descriptor;

        public Held(FileDescriptor descriptor)
        {
            bool isHeld = false;
            try
            {
                descriptor.DangerousAddRef(ref isHeld);
            }
            catch (ObjectDisposedException)
            {
                // Too late: calls on -1 fail with EBADF.
            }

            _descriptor = isHeld ? descriptor : null;
        }

        public int Number => _descriptor?.Number ?? -1;

        public void Dispose() => _descriptor?.DangerousRelease();
    }
}
