using Engine.Primitives;

namespace Engine.Platform;

/// <summary>setsockopt(2) and getsockopt(2) on a descriptor, for set-up.</summary>
internal static unsafe class SocketOptions
{
    /// <summary>Sets an option.</summary>
    /// <exception cref="SystemCallException">The kernel refused; the message names the option.</exception>
    public static void Set<T>(this FileDescriptor socket, int level, int option, T value, string name)
        where T : unmanaged =>
        SystemCallException.ThrowIfFailed(Libc.setsockopt(socket.Number, level, option, &value, (uint)sizeof(T)), $"setsockopt {name}");

    /// <summary>Sets an option that older kernels do not have.</summary>
    /// <returns>What the kernel said.</returns>
    public static Errno TrySet<T>(this FileDescriptor socket, int level, int option, T value)
        where T : unmanaged =>
        Libc.setsockopt(socket.Number, level, option, &value, (uint)sizeof(T)) == 0 ? Errno.None : Libc.LastErrno;

    /// <summary>Gets an option of a fixed size.</summary>
    /// <returns>What the kernel said.</returns>
    public static Errno TryGet<T>(this FileDescriptor socket, int level, int option, out T value)
        where T : unmanaged
    {
        T result = default;
        uint length = (uint)sizeof(T);
        int status = Libc.getsockopt(socket.Number, level, option, &result, &length);
        value = result;
        return status == 0 ? Errno.None : Libc.LastErrno;
    }
}
