using Engine.Primitives;

namespace Engine.Platform;

/// <summary>Where the calls of programs under a <see cref="SeccompFilter"/> are received and answered.</summary>
/// <remarks>Threads: one receives; any may answer.</remarks>
internal sealed unsafe class SeccompListener(FileDescriptor descriptor) : IDisposable
{
    /// <summary>Waits for the next call.</summary>
    /// <returns>False when all programs under the filter have ended, or the listener is closed.</returns>
    public bool TryReceive(out SeccompCall call)
    {
        Libc.pollfd poll = new() { fd = descriptor.Number, events = Libc.POLLIN };
        while (true)
        {
            poll.revents = 0;
            int ready = Libc.poll(&poll, 1, -1);
            if ((ready < 0 && Libc.LastErrno != Errno.Interrupted) || (ready > 0 && (poll.revents & Libc.POLLIN) == 0))
            {
                call = default;
                return false;
            }

            // A caller that was killed before its call was received leaves nothing: ENOENT.
            Libc.seccomp_notif notification = default;
            if (ready > 0 && Libc.ioctl(descriptor.Number, Libc.SECCOMP_IOCTL_NOTIF_RECV, &notification) == 0)
            {
                call = new SeccompCall(in notification);
                return true;
            }
        }
    }

    /// <summary>Whether the caller still waits: what was read from its memory is its own only then.</summary>
    public bool IsWaiting(in SeccompCall call)
    {
        ulong id = call.Id;
        return Libc.ioctl(descriptor.Number, Libc.SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
    }

    /// <summary>Lets the call return a value.</summary>
    public void Return(in SeccompCall call, long value) => Answer(new Libc.seccomp_notif_resp { id = call.Id, val = value });

    /// <summary>Lets the call fail.</summary>
    public void Fail(in SeccompCall call, Errno errno) => Answer(new Libc.seccomp_notif_resp { id = call.Id, error = -(int)errno });

    /// <summary>Lets the kernel make the call as if nothing had been.</summary>
    public void Continue(in SeccompCall call) => Answer(new Libc.seccomp_notif_resp { id = call.Id, flags = Libc.SECCOMP_USER_NOTIF_FLAG_CONTINUE });

    /// <summary>Puts a descriptor into the program, in place of what stands at its number.</summary>
    /// <param name="call">The call that waits.</param>
    /// <param name="source">The descriptor here.</param>
    /// <param name="number">The number there.</param>
    /// <param name="closesOnExec">Whether it is closed there on exec.</param>
    /// <param name="returnsIt">Whether the call returns with that number; else it still waits.</param>
    public bool TryPlace(in SeccompCall call, FileDescriptor source, int number, bool closesOnExec, bool returnsIt)
    {
        Libc.seccomp_notif_addfd request = new()
        {
            id = call.Id,
            flags = Libc.SECCOMP_ADDFD_FLAG_SETFD | (returnsIt ? Libc.SECCOMP_ADDFD_FLAG_SEND : 0),
            srcfd = (uint)source.Number,
            newfd = (uint)number,
            newfd_flags = closesOnExec ? (uint)Libc.O_CLOEXEC : 0,
        };
        return Libc.ioctl(descriptor.Number, Libc.SECCOMP_IOCTL_NOTIF_ADDFD, &request) >= 0;
    }

    /// <inheritdoc/>
    public void Dispose() => descriptor.Dispose();

    private void Answer(Libc.seccomp_notif_resp response)
    {
        // It fails only when the caller is gone, and then nobody waits.
        _ = Libc.ioctl(descriptor.Number, Libc.SECCOMP_IOCTL_NOTIF_SEND, &response);
    }
}
