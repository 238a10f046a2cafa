using Engine.Primitives;

namespace Engine.Platform;

/// <summary>Where the calls of programs under a <see cref="SeccompFilter"/> are received and answered.</summary>
/// <remarks>Threads: any may receive, into slots of their own, and answer. It is disposed when none does any more.</remarks>
internal sealed unsafe class SeccompListener(FileDescriptor descriptor) : IDisposable
{
    private readonly FileDescriptor _stop = FileDescriptor.FromCall(Libc.eventfd(0, Libc.O_NONBLOCK | Libc.O_CLOEXEC), "eventfd");

    /// <summary>The listener itself, to be handed on or waited for.</summary>
    public FileDescriptor Descriptor => descriptor;

    /// <summary>Waits for the next call.</summary>
    /// <param name="pending">Where it is noted until it has been answered.</param>
    /// <param name="slot">The slot of the thread.</param>
    /// <param name="call">The call.</param>
    /// <returns>False when all programs under the filter have ended, or it is to stop.</returns>
    public bool TryReceive(PendingCalls pending, int slot, out SeccompCall call)
    {
        Libc.pollfd* polls = stackalloc Libc.pollfd[2];
        while (true)
        {
            polls[0] = new Libc.pollfd { fd = descriptor.Number, events = Libc.POLLIN };
            polls[1] = new Libc.pollfd { fd = _stop.Number, events = Libc.POLLIN };
            int ready = Libc.poll(polls, 2, -1);
            bool hasCall = ready > 0 && (polls[0].revents & Libc.POLLIN) != 0;
            if ((ready < 0 && Libc.LastErrno != Errno.Interrupted) || (ready > 0 && (!hasCall || polls[1].revents != 0)))
            {
                call = default;
                return false;
            }

            if (hasCall)
            {
                if (TryTake(pending, slot, out call))
                {
                    return true;
                }

                // The caller was killed; anything else stays as it is, such as that this is no listener.
                if (Libc.LastErrno is not (Errno.NoEntry or Errno.Interrupted))
                {
                    return false;
                }
            }
        }
    }

    /// <summary>Takes a call that has been waited for. A caller that was killed meanwhile leaves nothing.</summary>
    public bool TryTake(PendingCalls pending, int slot, out SeccompCall call)
    {
        bool isTaken = Libc.ioctl(descriptor.Number, Libc.SECCOMP_IOCTL_NOTIF_RECV, pending[slot]) == 0;
        call = isTaken ? new SeccompCall(in *pending[slot]) : default;
        return isTaken;
    }

    /// <summary>Says that a caller waits while its call is served, so both may take turns on one processor; before Linux 6.6 that cannot be said.</summary>
    public void TakeTurns() => _ = Libc.ioctl_long(descriptor.Number, Libc.SECCOMP_IOCTL_NOTIF_SET_FLAGS, (nint)Libc.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);

    /// <summary>Lets all receiving end.</summary>
    public void Stop()
    {
        ulong one = 1;
        _ = Libc.write(_stop.Number, &one, sizeof(ulong));
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
    public void Dispose()
    {
        descriptor.Dispose();
        _stop.Dispose();
    }

    private void Answer(Libc.seccomp_notif_resp response)
    {
        // It fails only when the caller is gone, and then nobody waits.
        _ = Libc.ioctl(descriptor.Number, Libc.SECCOMP_IOCTL_NOTIF_SEND, &response);
    }
}
