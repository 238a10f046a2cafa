using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Engine.Platform;
using Engine.Vports;

namespace Bench.Live;

/// <summary>Sends 64-byte UDP frames (60 and the checksum that a wire adds) from the left host as fast as the kernel takes them, or at a rate.</summary>
/// <remarks>Needs nothing of the other end, unlike <see cref="KernelSender"/>, and is the slower one. A packet socket without queueing discipline and sendmmsg(2), on a thread of its own. Its frames are of 64 connections in turn.</remarks>
internal sealed unsafe class FloodSender : IDisposable
{
    /// <summary>Bytes of a frame.</summary>
    public const int FrameLength = 60;

    private const int Batch = 64;

    private readonly FileDescriptor _socket;
    private readonly Thread _thread;
    private readonly double _rate;
    private long _sent;
    private volatile bool _stop;

    /// <summary>Starts sending. Called in the left host's namespace.</summary>
    /// <param name="rate">Packets a second; 0 for as many as go.</param>
    public FloodSender(double rate)
    {
        _rate = rate;
        _ = Netdev.TryOpen("eth", out Netdev? device);
        using (device)
        {
            _socket = FileDescriptor.Socket(Libc.AF_PACKET, Libc.SOCK_RAW, 0);
            int on = 1;
            SystemCallException.ThrowIfFailed(Libc.setsockopt(_socket.Number, Libc.SOL_PACKET, Libc.PACKET_QDISC_BYPASS, &on, sizeof(int)), "PACKET_QDISC_BYPASS");
            Libc.sockaddr_ll address = new() { sll_family = Libc.AF_PACKET, sll_ifindex = device!.Index };
            SystemCallException.ThrowIfFailed(Libc.bind(_socket.Number, &address, (uint)sizeof(Libc.sockaddr_ll)), "bind to eth");
        }

        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Frames that the kernel has taken.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Stops sending.</summary>
    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        _socket.Dispose();
    }

    /// <summary>Writes a frame: Ethernet, IPv4, UDP to the discard port. The address is not the receiver's own, so its stack makes no answer.</summary>
    /// <param name="frame">Zeros before.</param>
    /// <param name="connection">Added to the source port.</param>
    public static void WriteFrame(Span<byte> frame, int connection)
    {
        Convert.FromHexString("0200000077020200000077010800" + "4500002e000000004011" + "0000" + "0a4d0001" + "c6120001" + "0000" + "0009" + "001a" + "0000").CopyTo(frame);
        BinaryPrimitives.WriteUInt16BigEndian(frame[34..], (ushort)(1024 + connection));
        uint sum = 0;
        for (int i = 14; i < 34; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(frame[i..]);
        }

        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame[24..], (ushort)~((sum & 0xffff) + (sum >> 16)));
    }

    private void Run()
    {
        byte* frames = (byte*)NativeMemory.AllocZeroed(Batch * FrameLength);
        Libc.iovec* vectors = stackalloc Libc.iovec[Batch];
        Libc.mmsghdr* messages = stackalloc Libc.mmsghdr[Batch];
        for (int i = 0; i < Batch; i++)
        {
            WriteFrame(new Span<byte>(frames + (i * FrameLength), FrameLength), i);
            vectors[i] = new Libc.iovec { iov_base = (nint)(frames + (i * FrameLength)), iov_len = FrameLength };
            messages[i] = new Libc.mmsghdr { msg_hdr = new Libc.msghdr { msg_iov = vectors + i, msg_iovlen = 1 } };
        }

        long start = Stopwatch.GetTimestamp();
        while (!_stop)
        {
            int count = Batch;
            if (_rate != 0)
            {
                long due = (long)((Stopwatch.GetTimestamp() - start) * _rate / Stopwatch.Frequency) - _sent;
                count = (int)Math.Clamp(due, 0, Batch);
                if (count == 0)
                {
                    Thread.SpinWait(20);
                    continue;
                }
            }

            int sent = Libc.sendmmsg(_socket.Number, messages, (uint)count, 0);
            if (sent > 0)
            {
                Volatile.Write(ref _sent, _sent + sent);
            }
        }

        NativeMemory.Free(frames);
    }
}
