using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>Frames in and out of a packet socket or a TAP device by io_uring: one request receives for ever, and a batch is sent in one call.</summary>
/// <remarks>
/// <para>Frames arrive in buffers of the channel, each large enough for a super-frame, not in packets: how long a frame is shows only then.</para>
/// <para>Threads: from the first call of <see cref="TryReceive"/> or <see cref="Send"/> on always the same one.</para>
/// </remarks>
internal sealed unsafe class UringChannel : IDisposable
{
    private const int BufferCount = 64;
    private const int BufferSize = 68 << 10;
    private const int ResultCount = 256;
    private const ushort BufferGroup = 1;

    // What a result belongs to: the receiving request, or the message of this index.
    private const ulong ReceiveTag = ulong.MaxValue;

    private const int ControlLength = 40; // CMSG_SPACE(sizeof(struct tpacket_auxdata))

    private readonly FileDescriptor _file;
    private readonly bool _isSocket;
    private readonly IoUring _ring;
    private readonly UringBuffers _buffers = new(BufferCount, BufferSize);
    private readonly MessageQueue _queue;
    private readonly Libc.msghdr* _template;

    // Received frames in order: buffer and length. As many as there are buffers.
    private readonly (int Buffer, int Length)[] _arrived = new (int, int)[BufferCount];
    private uint _arrivedWritten;
    private uint _arrivedRead;
    private int _lent = -1;

    private bool _isEnabled;
    private bool _isReceiving;
    private Errno _receiveError;

    /// <summary>Sets the channel up; nothing is received before the first call.</summary>
    /// <param name="file">A packet socket without a ring, or a TAP device; stays the caller's.</param>
    /// <param name="isSocket">Which of both.</param>
    /// <param name="batch">Frames sent with one call at the most.</param>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public UringChannel(FileDescriptor file, bool isSocket, int batch)
    {
        _file = file;
        _isSocket = isSocket;
        _queue = new MessageQueue(batch);
        _template = (Libc.msghdr*)NativeMemory.AllocZeroed((nuint)sizeof(Libc.msghdr));
        _template->msg_controllen = ControlLength;
        try
        {
            _ring = new IoUring(2 * batch, ResultCount);
            _ring.Register(_buffers, BufferGroup);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Frees the memory if the owner did not.</summary>
    ~UringChannel() => NativeMemory.Free(_template);

    /// <summary>Where frames to be sent are added.</summary>
    public MessageQueue Queue => _queue;

    /// <summary>Takes the oldest frame that has arrived. The frame before it is given up.</summary>
    /// <param name="frame">The frame; without bytes when it was malformed.</param>
    public bool TryReceive(out UringFrame frame)
    {
        Return();
        if (_arrivedRead == _arrivedWritten && !TryGather())
        {
            frame = default;
            return false;
        }

        (int buffer, int length) = _arrived[_arrivedRead++ % BufferCount];
        _lent = buffer;
        frame = Parse(_buffers.Filled(buffer, length));
        return true;
    }

    /// <summary>Gives the frame last taken up.</summary>
    public void Return()
    {
        if (_lent >= 0)
        {
            _buffers.Free(_lent);
            _lent = -1;
        }
    }

    /// <summary>Why receiving stopped since the last call; it starts again with the next one to receive.</summary>
    public Errno TakeReceiveError()
    {
        Errno errno = _receiveError;
        _receiveError = Errno.None;
        return errno;
    }

    /// <summary>Sends what was added to <see cref="Queue"/>, in order, and empties it.</summary>
    /// <param name="errno">The last error of a frame that was refused.</param>
    /// <returns>How many were taken.</returns>
    public int Send(out Errno errno)
    {
        errno = Enable();
        int count = errno == Errno.None ? _queue.Count : 0, sent = 0;
        for (int i = 0; i < count; i++)
        {
            ref Libc.msghdr message = ref _queue.Messages[i].msg_hdr;
            ref Libc.io_uring_sqe request = ref _ring.Add();
            request.fd = _file.Number;
            request.user_data = (ulong)i;
            if (_isSocket)
            {
                request.opcode = Libc.IORING_OP_SENDMSG;
                request.addr = (ulong)(&_queue.Messages[i].msg_hdr);
                request.len = 1;
                request.msg_flags = Libc.MSG_DONTWAIT;
            }
            else
            {
                request.opcode = Libc.IORING_OP_WRITEV;
                request.off = ulong.MaxValue;
                request.addr = (ulong)message.msg_iov;
                request.len = (uint)message.msg_iovlen;
                request.rw_flags = Libc.RWF_NOWAIT;
            }
        }

        // Requests that must not wait are done when the call returns; the loop is for a call that was interrupted.
        for (int done = 0; done < count;)
        {
            Errno failure = _ring.Call(1);
            if (failure is not (Errno.None or Errno.Interrupted or Errno.TryAgain or Errno.Busy))
            {
                errno = failure;
                break;
            }

            while (_ring.TryTake(out Libc.io_uring_cqe result))
            {
                if (result.user_data == ReceiveTag)
                {
                    NoteReceived(in result);
                    continue;
                }

                done++;
                if (result.res >= 0)
                {
                    sent++;
                }
                else
                {
                    errno = (Errno)(-result.res);
                }
            }
        }

        _queue.Clear();
        return sent;
    }

    /// <summary>Closes the ring and frees the buffers.</summary>
    public void Dispose()
    {
        _ring?.Dispose();
        _queue.Dispose();
        _buffers.Dispose();
        NativeMemory.Free(_template);
        GC.SuppressFinalize(this);
    }

    private Errno Enable()
    {
        if (_isEnabled)
        {
            return Errno.None;
        }

        Errno errno = _ring.Enable();
        _isEnabled = errno == Errno.None;
        return errno;
    }

    // Lets the kernel receive. True when something has arrived.
    private bool TryGather()
    {
        if (!_isReceiving)
        {
            Errno errno = Enable();
            if (errno != Errno.None)
            {
                _receiveError = errno;
                return false;
            }

            AddReceive();
        }

        if (_ring.NeedsCall)
        {
            Errno errno = _ring.Call(0);
            if (errno is not (Errno.None or Errno.Interrupted or Errno.TryAgain or Errno.Busy))
            {
                _receiveError = errno;
            }
        }

        while (_ring.TryTake(out Libc.io_uring_cqe result))
        {
            NoteReceived(in result);
        }

        return _arrivedRead != _arrivedWritten;
    }

    private void AddReceive()
    {
        ref Libc.io_uring_sqe request = ref _ring.Add();
        request.fd = _file.Number;
        request.user_data = ReceiveTag;
        request.flags = Libc.IOSQE_BUFFER_SELECT;
        request.buf_group = BufferGroup;
        if (_isSocket)
        {
            request.opcode = Libc.IORING_OP_RECVMSG;
            request.ioprio = Libc.IORING_RECV_MULTISHOT;
            request.addr = (ulong)_template;
            request.len = 1;
        }
        else
        {
            request.opcode = Libc.IORING_OP_READ_MULTISHOT;
            request.off = ulong.MaxValue;
        }

        _isReceiving = true;
    }

    private void NoteReceived(in Libc.io_uring_cqe result)
    {
        // Without F_MORE the request has ended: no buffer was free, or an error.
        _isReceiving = (result.flags & Libc.IORING_CQE_F_MORE) != 0;
        if ((result.flags & Libc.IORING_CQE_F_BUFFER) != 0)
        {
            Invariant.Assert(_arrivedWritten - _arrivedRead < BufferCount);
            _arrived[_arrivedWritten++ % BufferCount] = ((int)(result.flags >> Libc.IORING_CQE_BUFFER_SHIFT), Math.Max(result.res, 0));
        }

        if (result.res < 0 && (Errno)(-result.res) is not (Errno.NoBuffers or Errno.TryAgain))
        {
            _receiveError = (Errno)(-result.res);
        }
    }

    private UringFrame Parse(ReadOnlySpan<byte> bytes)
    {
        Libc.tpacket_auxdata auxiliary = default;
        if (_isSocket)
        {
            // What multishot RECVMSG puts before the message: its lengths, no address, the control messages.
            if (bytes.Length < sizeof(Libc.io_uring_recvmsg_out) + ControlLength)
            {
                return default;
            }

            Libc.io_uring_recvmsg_out lengths = MemoryMarshal.Read<Libc.io_uring_recvmsg_out>(bytes);
            ReadOnlySpan<byte> control = bytes.Slice(sizeof(Libc.io_uring_recvmsg_out), ControlLength);
            Libc.cmsghdr header = MemoryMarshal.Read<Libc.cmsghdr>(control);
            if (lengths.controllen >= sizeof(Libc.cmsghdr) + sizeof(Libc.tpacket_auxdata)
                && header.cmsg_level == Libc.SOL_PACKET && header.cmsg_type == Libc.PACKET_AUXDATA)
            {
                auxiliary = MemoryMarshal.Read<Libc.tpacket_auxdata>(control[sizeof(Libc.cmsghdr)..]);
            }

            bytes = (lengths.flags & Libc.MSG_TRUNC) != 0 ? default : bytes[(sizeof(Libc.io_uring_recvmsg_out) + ControlLength)..];
        }

        return bytes.Length <= PacketSocket.OffloadHeaderSize
            ? default
            : new UringFrame
            {
                Bytes = bytes[PacketSocket.OffloadHeaderSize..],
                Offload = MemoryMarshal.Read<Libc.virtio_net_hdr>(bytes),
                HasVlan = (auxiliary.tp_status & Libc.TP_STATUS_VLAN_VALID) != 0,
                VlanType = (auxiliary.tp_status & Libc.TP_STATUS_VLAN_TPID_VALID) != 0 ? auxiliary.tp_vlan_tpid : (ushort)0x8100,
                VlanControl = auxiliary.tp_vlan_tci,
            };
    }
}
