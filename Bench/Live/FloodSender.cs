using System.Buffers.Binary;
using System.Diagnostics;
using Engine.Platform;
using Engine.Vports;

namespace Bench.Live;

/// <summary>Sends 64-byte UDP frames (60 and the checksum that a wire adds) of 256 connections in turn from the left host, as fast as they go or at a rate.</summary>
/// <remarks>On a thread of its own, pinned to the first processor, where the kernel receives them too.</remarks>
internal sealed class FloodSender : IDisposable
{
    private const int FrameLength = 60;

    private readonly FrameSource _frames;
    private readonly int _device;
    private readonly Thread _thread;
    private volatile bool _stop;
    private Exception? _failure;

    /// <summary>Starts sending. Called in the left host's namespace.</summary>
    /// <param name="rate">Packets a second; 0 for as many as go.</param>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public FloodSender(double rate)
    {
        _ = Netdev.TryOpen("eth", out Netdev? device);
        using (device)
        {
            _device = device!.Index;
        }

        _frames = new FrameSource(rate);
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Frames that the host's device has sent.</summary>
    public long Sent => _frames.Sent;

    /// <summary>Returns when the first frames are out; the kernel takes some milliseconds before it makes any.</summary>
    public void WaitForStart()
    {
        long start = Stopwatch.GetTimestamp();
        while (Sent == 0 && _failure is null && Stopwatch.GetElapsedTime(start).TotalSeconds < 5)
        {
            Thread.Sleep(1);
        }

        if (Sent == 0)
        {
            throw _failure ?? new InvalidOperationException("the generator sends nothing");
        }
    }

    /// <summary>Ends sending, and returns when it has.</summary>
    /// <returns>Frames sent in all.</returns>
    public long Stop()
    {
        _stop = true;
        _frames.Stop();
        _thread.Join();
        return Sent;
    }

    /// <summary>Stops sending.</summary>
    public void Dispose()
    {
        _ = Stop();
        _frames.Dispose();
    }

    private void Run()
    {
        _ = ProcessorSet.TryPin(ProcessorSet.Current[0]);
        Span<byte> frame = stackalloc byte[FrameLength];
        WriteFrame(frame);
        try
        {
            while (!_stop)
            {
                _frames.Run(_device, frame);
            }
        }
        catch (SystemCallException failure)
        {
            _failure = failure;
        }
    }

    // Ethernet, IPv4, UDP to the discard port. The address is not the receiver's own, so its stack makes no answer.
    private static void WriteFrame(Span<byte> frame)
    {
        frame.Clear();
        Convert.FromHexString("0200000077020200000077010800" + "4500002e000000004011" + "0000" + "0a4d0001" + "c6120001" + "0400" + "0009" + "001a" + "0000").CopyTo(frame);
        uint sum = 0;
        for (int i = 14; i < 34; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(frame[i..]);
        }

        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame[24..], (ushort)~((sum & 0xffff) + (sum >> 16)));
    }
}
