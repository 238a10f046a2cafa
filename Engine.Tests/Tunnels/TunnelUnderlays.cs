using System.Diagnostics;
using Engine.Tests.Live;

namespace Engine.Tests.Tunnels;

/// <summary>Two namespaces joined by a wire that tunnels go over: 10.99.0.1 and .2, 2001:db8:99::1 and ::2.</summary>
internal sealed class TunnelUnderlays : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engine-tunnel-").FullName;
    private Process? _capture;

    /// <summary>Makes them.</summary>
    /// <param name="mtu">Of the wire.</param>
    public TunnelUnderlays(int mtu = 1500)
    {
        try
        {
            Left.Run($"ip link add wire mtu {mtu} type veth peer name wire mtu {mtu} netns {Right.Name}");
            SetUp(Left, 1);
            SetUp(Right, 2);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>10.99.0.1, 2001:db8:99::1.</summary>
    public NetworkNamespace Left { get; } = new();

    /// <summary>10.99.0.2, 2001:db8:99::2.</summary>
    public NetworkNamespace Right { get; } = new();

    /// <summary>Sets the longest packet of the wire.</summary>
    public void SetMtu(int mtu)
    {
        Left.Run($"ip link set wire mtu {mtu}");
        Right.Run($"ip link set wire mtu {mtu}");
    }

    /// <summary>Starts to capture what goes over the wire.</summary>
    public void StartCapture()
    {
        _capture = Right.Start($"tcpdump -U --immediate-mode -i wire -c 400 -w {_folder}/wire.pcap ip or ip6");
        Assert.Contains("listening", _capture.StandardError.ReadLine() ?? string.Empty, StringComparison.Ordinal);
    }

    /// <summary>Ends the capture and has tshark decode it: there must be packets of the protocol, and none may be malformed.</summary>
    public void CheckCapture(string protocol)
    {
        // What has been received is not always in the file yet.
        string file = $"{_folder}/wire.pcap";
        Stopwatch waited = Stopwatch.StartNew();
        while (Right.Run($"tshark -r {file} -Y \"{protocol}\" -c 50 2>/dev/null || true").Length == 0)
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), $"Nothing of {protocol} was captured.");
            Thread.Sleep(100);
        }

        // It has ended by itself when there was enough.
        Right.Run($"kill -INT {_capture!.Id} || true");
        Assert.True(_capture.WaitForExit(30_000), "tcpdump does not end.");
        _capture.Dispose();
        _capture = null;
        Assert.Equal(string.Empty, Right.Run($"tshark -r {file} -o ip.check_checksum:TRUE -Y \"_ws.malformed or ip.checksum.status == Bad\""));
    }

    public void Dispose()
    {
        if (_capture is { HasExited: false })
        {
            _capture.Kill();
        }

        _capture?.Dispose();
        Left.Dispose();
        Right.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static void SetUp(NetworkNamespace space, int number) => space.Run(
        $"ip addr add 10.99.0.{number}/24 dev wire; ip addr add 2001:db8:99::{number}/64 dev wire nodad; ip link set wire up");
}
