using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>Room for the datagrams of one recvmmsg(2), with what the kernel tells about each.</summary>
/// <remarks>Native memory that never moves; pages that no datagram has reached take none. Threads: one.</remarks>
internal sealed unsafe class DatagramBatch : IDisposable
{
    /// <summary>Datagrams that fit.</summary>
    public const int Capacity = 32;

    // The longest IP packet, and some lines more, so that the first lines of the buffers fall into different sets of the cache.
    private const int BufferSize = (1 << 16) + (5 * 64);

    /// <summary>Bytes behind a datagram that belong to nothing and may be read.</summary>
    public const int Slack = 64;

    private const int ControlSize = 256;

    private readonly Datagram* _items;
    private readonly Libc.mmsghdr* _messages;
    private readonly Libc.iovec* _pieces;
    private readonly Libc.sockaddr_in6* _names;
    private readonly byte* _control;
    private readonly byte* _buffers;

    /// <summary>Allocates the room.</summary>
    public DatagramBatch()
    {
        _items = (Datagram*)NativeMemory.AlignedAlloc(Capacity * (nuint)sizeof(Datagram), (nuint)sizeof(Datagram));
        _messages = (Libc.mmsghdr*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(Libc.mmsghdr));
        _pieces = (Libc.iovec*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(Libc.iovec));
        _names = (Libc.sockaddr_in6*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(Libc.sockaddr_in6));
        _control = (byte*)NativeMemory.AllocZeroed(Capacity, ControlSize);
        _buffers = (byte*)NativeMemory.AllocZeroed(Capacity, BufferSize);
        for (int i = 0; i < Capacity; i++)
        {
            _pieces[i] = new Libc.iovec { iov_base = (nint)BufferOf(i), iov_len = BufferSize };
        }
    }

    /// <summary>Frees the memory if the owner did not.</summary>
    ~DatagramBatch() => Release();

    /// <summary>Datagrams in it.</summary>
    public int Count { get; private set; }

    /// <summary>What is known of a datagram.</summary>
    public ref readonly Datagram this[int index] => ref *PointerTo(index);

    /// <summary>The bytes of a datagram, without IP and UDP header. Behind them there are <see cref="Slack"/> bytes that may be read too.</summary>
    // In bounds: they lie within what the kernel has written, or Add has copied.
    public ReadOnlySpan<byte> BytesOf(int index) => new((byte*)PointerTo(index)->Address, PointerTo(index)->Length);

    /// <summary>What is known of a datagram, and of those that follow it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Datagram* PointerTo(int index)
    {
        Invariant.Assert((uint)index < (uint)Count);
        return _items + index;
    }

    /// <summary>Forgets the datagrams.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds a datagram that comes from elsewhere than a socket. There must be room.</summary>
    public void Add(in Datagram datagram, ReadOnlySpan<byte> bytes)
    {
        Invariant.Assert(Count < Capacity && bytes.Length <= BufferSize);
        bytes.CopyTo(new Span<byte>(BufferOf(Count), BufferSize));
        _items[Count] = datagram with { Address = (nint)BufferOf(Count), Length = bytes.Length };
        Count++;
    }

    /// <summary>Adds a datagram whose bytes stand in its place already, left there by the last <see cref="Add"/>: for memory that plays a socket, which fills the places itself.</summary>
    public void AddFilled(in Datagram datagram)
    {
        Invariant.Assert(Count < Capacity && datagram.Length <= BufferSize);
        Datagram* item = _items + Count;
        *item = datagram;
        item->Address = (nint)BufferOf(Count++);
    }

    /// <summary>Adds what waits on a socket, as far as there is room.</summary>
    public void Receive(DatagramSocket socket)
    {
        int first = Count;
        for (int i = first; i < Capacity; i++)
        {
            _messages[i] = new Libc.mmsghdr
            {
                msg_hdr = new Libc.msghdr
                {
                    msg_name = (nint)(_names + i),
                    msg_namelen = (uint)sizeof(Libc.sockaddr_in6),
                    msg_iov = _pieces + i,
                    msg_iovlen = 1,
                    msg_control = (nint)(_control + (i * ControlSize)),
                    msg_controllen = ControlSize,
                },
            };
        }

        int count = Libc.recvmmsg(socket.Descriptor.Number, _messages + first, (uint)(Capacity - first), Libc.MSG_DONTWAIT, null);
        for (int i = 0; i < count; i++)
        {
            Describe(socket, first + i);
        }

        // A failure is that nothing waits, or an ICMP error for an earlier packet, which is gone once reported.
        Count = first + Math.Max(count, 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private byte* BufferOf(int index) => _buffers + ((nint)index * BufferSize);

    private void Describe(DatagramSocket socket, int index)
    {
        ref Libc.mmsghdr message = ref _messages[index];
        ref Datagram item = ref _items[index];
        item = new Datagram { Address = (nint)BufferOf(index), Length = (int)message.msg_len, IsIpv6 = socket.IsIpv6, HasChecksum = socket.HasChecksums };
        if (socket.IsIpv6)
        {
            item.SourcePort = Be16.FromRaw(socket.IsRaw ? (ushort)0 : _names[index].sin6_port);
            item.Ipv6Source = Unsafe.ReadUnaligned<Ipv6Address>(_names[index].sin6_addr);
        }
        else
        {
            Libc.sockaddr_in* name = (Libc.sockaddr_in*)(_names + index);
            item.SourcePort = Be16.FromRaw(socket.IsRaw ? (ushort)0 : name->sin_port);
            item.Ipv4Source = Be32.FromRaw(name->sin_addr);
        }

        ReadControl(ref item, (byte*)message.msg_hdr.msg_control, (int)message.msg_hdr.msg_controllen);
        if (socket.IsRaw && !socket.IsIpv6)
        {
            // Raw sockets of IPv4 give the IP header too; the kernel has checked it.
            byte* header = BufferOf(index);
            int length = Math.Min((header[0] & 15) * 4, item.Length);
            item.Address += length;
            item.Length -= length;
        }
    }

    // In bounds: the kernel wrote whole messages of the lengths they state, controlLength bytes in all.
    private static void ReadControl(ref Datagram item, byte* control, int controlLength)
    {
        int header = sizeof(Libc.cmsghdr);
        for (int at = 0; at + header <= controlLength;)
        {
            Libc.cmsghdr* message = (Libc.cmsghdr*)(control + at);
            byte* data = control + at + header;
            switch (message->cmsg_level, message->cmsg_type)
            {
                case (Libc.IPPROTO_IP, Libc.IP_PKTINFO):
                    item.Ipv4Destination = Be32.FromRaw(((Libc.in_pktinfo*)data)->ipi_addr);
                    break;
                case (Libc.IPPROTO_IP, Libc.IP_TOS):
                    item.Tos = *data;
                    break;
                case (Libc.IPPROTO_IP, Libc.IP_TTL):
                    item.Ttl = (byte)*(int*)data;
                    break;
                case (Libc.IPPROTO_IPV6, Libc.IPV6_PKTINFO):
                    item.Ipv6Destination = Unsafe.ReadUnaligned<Ipv6Address>(data);
                    break;
                case (Libc.IPPROTO_IPV6, Libc.IPV6_TCLASS):
                    item.Tos = (byte)*(int*)data;
                    break;
                case (Libc.IPPROTO_IPV6, Libc.IPV6_HOPLIMIT):
                    item.Ttl = (byte)*(int*)data;
                    break;
                case (Libc.IPPROTO_UDP, Libc.UDP_GRO):
                    item.SegmentSize = *(int*)data;
                    break;
            }

            int length = (int)message->cmsg_len;
            if (length < header)
            {
                return;
            }

            at += (length + 7) & ~7;
        }
    }

    private void Release()
    {
        NativeMemory.AlignedFree(_items);
        NativeMemory.Free(_messages);
        NativeMemory.Free(_pieces);
        NativeMemory.Free(_names);
        NativeMemory.Free(_control);
        NativeMemory.Free(_buffers);
    }
}
