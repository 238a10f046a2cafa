using System.Diagnostics;

namespace Engine.Tests.Live;

/// <summary>Everything hosts say to each other passes a running engine whole, by every driver.</summary>
public sealed class SwitchedTrafficTests
{
    // A flow without a tag is of frames without one.
    private const string OneTag = "eth_type(0x8100),vlan(vid=7,pcp=0),encap(eth_type(0x88b5))";
    private const string TwoTags = "eth_type(0x88a8),vlan(vid=5,pcp=0),encap(eth_type(0x8100),vlan(vid=7,pcp=0),encap(eth_type(0x88b5)))";

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void Hosts_ping_stream_and_send_datagrams_both_ways(string driver)
    {
        using Switched network = new(driver);
        (NetworkNamespace left, NetworkNamespace right) = (network.Hosts.Left, network.Hosts.Right);
        Traffic.Ping(left, 2);
        Traffic.Ping(right, 1, size: 1400);
        foreach ((NetworkNamespace from, NetworkNamespace to, int number) in new[] { (left, right, 2), (right, left, 1) })
        {
            Traffic.Tcp(from, to, $"10.77.0.{number}", 20 << 20);
            Traffic.Tcp(from, to, $"fd77::{number}", 20 << 20);
            Traffic.Udp(from, to, $"10.77.0.{number}", 1472, 50);
            Traffic.Udp(from, to, $"fd77::{number}", 9000, 50);
        }
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void Jumbo_frames_pass(string driver)
    {
        using Switched network = new(driver, mtu: 9000);
        Traffic.Ping(network.Hosts.Left, 2, size: 8000);
        Traffic.Udp(network.Hosts.Left, network.Hosts.Right, "10.77.0.2", 8900, 50);
        Traffic.Tcp(network.Hosts.Right, network.Hosts.Left, "fd77::1", 20 << 20);
    }

    [SkippableTheory]
    [InlineData("packet", "81000007", OneTag)]
    [InlineData("packet", "88a8000581000007", TwoTags)]
    [InlineData("uring", "81000007", OneTag)]
    [InlineData("uring", "88a8000581000007", TwoTags)]
    [InlineData("xdp", "81000007", OneTag)]
    [InlineData("xdp", "88a8000581000007", TwoTags)]
    public void Tagged_frames_pass_as_they_are(string driver, string tags, string flow)
    {
        using Switched network = new(driver);
        network.Engine.Do("add-flow", "dp0", $"in_port(1),eth(),{flow}", "2");
        network.Engine.Do("add-flow", "dp0", $"in_port(2),eth(),{flow}", "1");
        byte[] frame = Convert.FromHexString($"020000007702020000007701{tags}88b5").Concat(Enumerable.Range(0, 100).Select(static i => (byte)i)).ToArray();
        using NetdevEnd left = new(network.Hosts.Left, "eth");
        using NetdevEnd right = new(network.Hosts.Right, "eth");
        left.Send(frame);
        Assert.Equal(frame, right.Receive(bytes => bytes.Length == frame.Length));
        right.Send(frame);
        Assert.Equal(frame, left.Receive(bytes => bytes.Length == frame.Length));
    }

    // The device behind the engine can neither finish checksums nor cut super-frames, so what a capture sees is what a wire would.
    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void Tcpdump_sees_no_bad_checksum_on_the_wire(string driver)
    {
        Requires.Program("tcpdump");
        Requires.Program("ethtool");
        using Switched network = new(driver);
        network.Hosts.Switch.Run("ethtool -K right tx off tso off gso off >/dev/null 2>&1 || true");
        using Process capture = network.Hosts.Right.Start("tcpdump -i eth -Q in -n -vv -l -c 300 tcp or udp");
        Task<string> seen = capture.StandardOutput.ReadToEndAsync();
        try
        {
            // What comes before it listens is not seen.
            string? line;
            do
            {
                line = capture.StandardError.ReadLine();
                Assert.True(line is not null, "tcpdump has ended before it listened.");
            }
            while (!line.Contains("listening", StringComparison.Ordinal));
            Task<string> errors = capture.StandardError.ReadToEndAsync();
            Traffic.Udp(network.Hosts.Left, network.Hosts.Right, "10.77.0.2", 1000, 20);
            Traffic.Udp(network.Hosts.Left, network.Hosts.Right, "fd77::2", 1000, 20);
            Traffic.Tcp(network.Hosts.Left, network.Hosts.Right, "10.77.0.2", 4 << 20);
            Traffic.Tcp(network.Hosts.Left, network.Hosts.Right, "fd77::2", 4 << 20);
            Assert.True(capture.WaitForExit(Eventually.Limit), $"tcpdump has not seen enough: {(errors.IsCompleted ? errors.Result : "")}");
        }
        finally
        {
            if (!capture.HasExited)
            {
                capture.Kill();
            }
        }

        string[] lines = seen.Result.Split('\n');
        Assert.Contains(lines, static line => line.Contains("cksum", StringComparison.Ordinal) && line.Contains("(correct)", StringComparison.Ordinal));
        Assert.Contains(lines, static line => line.Contains("udp sum ok", StringComparison.Ordinal));
        Assert.Equal(string.Empty, string.Join('\n', lines.Where(static line => line.Contains("incorrect", StringComparison.Ordinal) || line.Contains("[bad ", StringComparison.Ordinal))));
    }
}
