using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>Messages for sendmmsg(2): up to a fixed number, each of one piece of memory or of two.</summary>
/// <remarks>Native memory that never moves; nothing is allocated per message. Threads: one.</remarks>
internal sealed unsafe class MessageQueue : IDisposable
{
    private readonly int _capacity;
    private readonly Libc.mmsghdr* _messages;
    private readonly Libc.iovec* _pieces;
    private readonly Libc.virtio_net_hdr* _headers;

    /// <summary>Allocates room for <paramref name="capacity"/> messages.</summary>
    public MessageQueue(int capacity)
    {
        _capacity = capacity;
        _messages = (Libc.mmsghdr*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(Libc.mmsghdr));
        _pieces = (Libc.iovec*)NativeMemory.AllocZeroed((nuint)capacity * 2, (nuint)sizeof(Libc.iovec));
        _headers = (Libc.virtio_net_hdr*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(Libc.virtio_net_hdr));
        for (int i = 0; i < capacity; i++)
        {
            _messages[i].msg_hdr.msg_iov = _pieces + (2 * i);
        }
    }

    /// <summary>Frees the memory if the owner did not.</summary>
    ~MessageQueue() => Release();

    /// <summary>Messages in the queue.</summary>
    public int Count { get; private set; }

    /// <summary>The messages, for sendmmsg.</summary>
    internal Libc.mmsghdr* Messages => _messages;

    /// <summary>Adds a frame with its virtio_net header before it.</summary>
    /// <param name="data">The frame, untouched until it is sent.</param>
    /// <param name="length">Bytes of the frame.</param>
    /// <param name="headroom">Bytes before the frame that may be overwritten.</param>
    /// <param name="header">The header.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(nint data, int length, int headroom, in Libc.virtio_net_hdr header)
    {
        Invariant.Assert(Count < _capacity);
        if (headroom < PacketSocket.OffloadHeaderSize)
        {
            AddInTwoPieces(data, length, in header);
            return;
        }

        // In bounds: the caller owns the headroom.
        nint start = data - PacketSocket.OffloadHeaderSize;
        Unsafe.WriteUnaligned((void*)start, header);
        int index = Count++;
        _pieces[2 * index] = new Libc.iovec { iov_base = start, iov_len = (nuint)(length + PacketSocket.OffloadHeaderSize) };
        _messages[index].msg_hdr.msg_iovlen = 1;
    }

    /// <summary>Forgets the messages.</summary>
    public void Clear() => Count = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddInTwoPieces(nint data, int length, in Libc.virtio_net_hdr header)
    {
        int index = Count++;
        _headers[index] = header;
        _pieces[2 * index] = new Libc.iovec { iov_base = (nint)(_headers + index), iov_len = PacketSocket.OffloadHeaderSize };
        _pieces[(2 * index) + 1] = new Libc.iovec { iov_base = data, iov_len = (nuint)length };
        _messages[index].msg_hdr.msg_iovlen = 2;
    }

    private void Release()
    {
        NativeMemory.Free(_headers);
        NativeMemory.Free(_messages);
        NativeMemory.Free(_pieces);
    }
}
