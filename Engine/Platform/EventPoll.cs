using System.Runtime.InteropServices;

namespace Engine.Platform;

/// <summary>What happened to a descriptor.</summary>
/// <param name="Descriptor">Its number.</param>
/// <param name="Tag">What it was added with.</param>
/// <param name="Events">EPOLL* bits.</param>
internal readonly record struct PollEvent(int Descriptor, uint Tag, uint Events)
{
    /// <summary>Whether there is something to read.</summary>
    public bool CanRead => (Events & Libc.EPOLLIN) != 0;

    /// <summary>Whether there is room to write.</summary>
    public bool CanWrite => (Events & Libc.EPOLLOUT) != 0;

    /// <summary>Whether the other end has gone.</summary>
    public bool IsClosed => (Events & (Libc.EPOLLHUP | Libc.EPOLLERR | Libc.EPOLLRDHUP)) != 0;
}

/// <summary>Waits for many descriptors at once (epoll(7)), and can be woken.</summary>
/// <remarks>Threads: one waits; any may change what is watched, or wake it.</remarks>
internal sealed unsafe class EventPoll : IDisposable
{
    private const int MaximumEvents = 64;

    // struct epoll_event: the events, then 8 bytes of data. It is packed on x86-64 alone.
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private readonly FileDescriptor _poll = FileDescriptor.FromCall(Libc.epoll_create1(Libc.EPOLL_CLOEXEC), "epoll_create1");
    private readonly FileDescriptor _wake = FileDescriptor.FromCall(Libc.eventfd(0, Libc.O_NONBLOCK | Libc.O_CLOEXEC), "eventfd");
    private readonly byte[] _events = new byte[MaximumEvents * 16];

    /// <summary>Watches nothing yet but its own waking.</summary>
    public EventPoll() => Watch(_wake.Number, Libc.EPOLL_CTL_ADD, writes: false);

    /// <summary>Watches a descriptor for something to read, until it is closed.</summary>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="tag">Comes with what happens, so that what happened to one that was closed is not taken for another's that has got its number.</param>
    public void Add(int descriptor, uint tag = 0) => Watch(descriptor, Libc.EPOLL_CTL_ADD, writes: false, tag);

    /// <summary>Says whether a descriptor is watched for room to write as well.</summary>
    public void Change(int descriptor, bool writes) => Watch(descriptor, Libc.EPOLL_CTL_MOD, writes);

    /// <summary>Watches a descriptor no more. It may come once more if it has happened already.</summary>
    public void Remove(int descriptor) => Watch(descriptor, Libc.EPOLL_CTL_DEL, writes: false);

    /// <summary>Waits until something happens, or it is woken.</summary>
    /// <param name="happened">Gets what happened; emptied first.</param>
    /// <param name="timeoutMs">How long to wait at most; 0 only looks, -1 waits as long as it takes.</param>
    public void Wait(List<PollEvent> happened, int timeoutMs = -1)
    {
        happened.Clear();
        int count;
        fixed (byte* events = _events)
        {
            count = Libc.epoll_wait(_poll.Number, events, MaximumEvents, timeoutMs);
        }

        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> item = _events.AsSpan(i * EventSize, EventSize);
            ulong data = MemoryMarshal.Read<ulong>(item[(EventSize - sizeof(ulong))..]);
            int descriptor = (int)(uint)data;
            if (descriptor != _wake.Number)
            {
                happened.Add(new PollEvent(descriptor, (uint)(data >> 32), MemoryMarshal.Read<uint>(item)));
            }
        }
    }

    /// <summary>Lets the waiting end, now and from now on, until <see cref="ClearWake"/>.</summary>
    public void Wake()
    {
        ulong one = 1;
        _ = Libc.write(_wake.Number, &one, sizeof(ulong));
    }

    /// <summary>Lets waiting last again.</summary>
    public void ClearWake()
    {
        ulong count;
        _ = Libc.read(_wake.Number, &count, sizeof(ulong));
    }

    /// <summary>Takes the error that waits on a descriptor.</summary>
    /// <returns>Whether there was one: then it is gone; else it is of a kind that stays, and the descriptor is no longer worth watching.</returns>
    public static bool TryTakeError(int descriptor)
    {
        int error = 0;
        uint length = sizeof(int);
        return Libc.getsockopt(descriptor, Libc.SOL_SOCKET, Libc.SO_ERROR, &error, &length) == 0 && error != 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _poll.Dispose();
        _wake.Dispose();
    }

    private void Watch(int descriptor, int operation, bool writes, uint tag = 0)
    {
        Span<byte> item = stackalloc byte[16];
        item.Clear();
        uint events = Libc.EPOLLIN | Libc.EPOLLRDHUP | (writes ? Libc.EPOLLOUT : 0);
        MemoryMarshal.Write(item, in events);
        MemoryMarshal.Write(item[(EventSize - sizeof(ulong))..], ((ulong)tag << 32) | (uint)descriptor);
        fixed (byte* pointer = item)
        {
            // A descriptor that has been closed meanwhile is no longer watched anyway.
            _ = Libc.epoll_ctl(_poll.Number, operation, descriptor, pointer);
        }
    }
}
