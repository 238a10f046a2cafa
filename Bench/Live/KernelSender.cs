using System.Diagnostics;
using Engine.Platform;
using Engine.Vports;

namespace Bench.Live;

/// <summary>Sends 64-byte UDP frames (60 and the checksum that a wire adds) of 256 connections in turn from the left host, as fast as they go or at a rate.</summary>
/// <remarks>On a thread of its own, pinned to the first processor, where the kernel receives them too.</remarks>
internal sealed class KernelSender : IDisposable
{
    private readonly FrameSource _frames;
    private readonly int _device;
    private readonly Thread _thread;
    private volatile bool _stop;
    private Exception? _failure;

    /// <summary>Starts sending. Called in the left host's namespace.</summary>
    /// <param name="rate">Packets a second; 0 for as many as go.</param>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public KernelSender(double rate)
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
        Span<byte> frame = stackalloc byte[FloodSender.FrameLength];
        frame.Clear();
        FloodSender.WriteFrame(frame, 0);
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
}
