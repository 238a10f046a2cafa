using System.Text.Json;
using Engine.Cli;
using Engine.Tests.Allocation;
using Engine.Tests.Architecture;
using Engine.Tests.Vports;

namespace Engine.Tests.Cli;

/// <summary><c>engine replay</c> as its user sees it: files in, files, tables and exit codes out.</summary>
public sealed class ReplayCommandTests : IDisposable
{
    // A datagram to port 53 and an ARP request.
    private static readonly byte[] Udp = Frame("0200000000020200000000010800450000200000400040112ecb0a0000010a00000204d20035000c00006869210a");
    private static readonly byte[] Arp = Frame("ffffffffffff02000000000108060001080006040001020000000001" + "0a000001" + "000000000000" + "0a000002");

    private const string UdpFlow = "in_port(1),eth(),eth_type(0x0800),ipv4(proto=17,frag=no)";

    private readonly string _directory = Directory.CreateTempSubdirectory("engine-replay-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Packets_leave_by_the_ports_their_flows_say_and_are_counted()
    {
        string flows = Write("some.flows", $"# what this is\n\n{UdpFlow} 2,3\n{UdpFlow.Replace("17", "6", StringComparison.Ordinal)}, packets:5, bytes:600, used:0.1s, actions:4\n");
        string capture = Write("in.pcap", new CaptureBytes(true).PcapHeader().Record(5, 6, Udp).Record(7, 8, Arp).Record(9, 10, Udp).ToArray());
        string directory = Path.Combine(_directory, "new", "out");
        (int exitCode, string output, string error) = Run("replay", capture, "--flows", flows, "--out-dir", directory);
        Assert.Equal((0, string.Empty), (exitCode, error));
        Assert.Equal("port-2.pcap port-3.pcap port-4.pcap", string.Join(' ', Directory.GetFiles(directory).Select(Path.GetFileName).Order()));
        foreach (string name in new[] { "port-2.pcap", "port-3.pcap" })
        {
            (var packets, _) = CaptureBytes.Read(File.ReadAllBytes(Path.Combine(directory, name)));
            Assert.Equal(new[] { Udp, Udp }, packets.Select(packet => packet.Bytes));
            Assert.Equal("5000006000 9000010000", string.Join(' ', packets.Select(packet => packet.TimestampNs)));
        }

        Assert.Empty(CaptureBytes.Read(File.ReadAllBytes(Path.Combine(directory, "port-4.pcap"))).Packets);
        Assert.Contains("3 packets, 134 bytes in ", output, StringComparison.Ordinal);
        Assert.Matches(@"│\s+1 │\s+3 │\s+134 │\s+0 │\s+0 │", output);
        Assert.Matches(@"│\s+2 │\s+0 │\s+0 │\s+2 │\s+92 │", output);
        Assert.Matches(@"│\s+2 │\s+92 │ .*ipv4\(.*proto=17.*\).*, actions:2,3\s+│", output);
        Assert.Matches(@"missed \(matched no flow\)\s+│\s+1 │", output);
        Assert.Matches(@"dropped: miss\s+│\s+1 │", output);
        Assert.DoesNotContain('\u001b', output);
    }

    [Fact]
    public void Json_is_one_object_with_every_counter()
    {
        string flows = Write("some.flows", $"in_port(7),eth(),eth_type(0x0800),ipv4(frag=no) 7,2\nin_port(7),eth(),eth_type(0x0806) drop\n");
        string capture = Write("in.pcap", new CaptureBytes(false).Section().Interface().Enhanced(0, 1, Udp).Enhanced(0, 2, Arp).Enhanced(0, 3, Udp).ToArray());
        (int exitCode, string output, string error) = Run("replay", capture, "--flows", flows, "--in-port", "7", "--json");
        Assert.Equal((0, string.Empty), (exitCode, error));
        using JsonDocument document = JsonDocument.Parse(output);
        JsonElement report = document.RootElement;
        Assert.Equal(
            "packets bytes seconds mpps cyclesPerPacket allocatedBytesPerPacket ports flows missed drops",
            string.Join(' ', report.EnumerateObject().Select(property => property.Name)));
        Assert.Equal((3, 134), (report.GetProperty("packets").GetInt32(), report.GetProperty("bytes").GetInt32()));
        Assert.True(report.GetProperty("seconds").GetDouble() > 0);
        Assert.True(report.GetProperty("mpps").GetDouble() > 0);
        Assert.True(report.GetProperty("cyclesPerPacket").GetDouble() > 0);
        Assert.Equal("""{"2":{"rxPackets":0,"rxBytes":0,"txPackets":2,"txBytes":92},"7":{"rxPackets":3,"rxBytes":134,"txPackets":2,"txBytes":92}}""", Compact(report.GetProperty("ports")));
        Assert.Equal(new[] { (2, 92), (1, 42) }, report.GetProperty("flows").EnumerateArray().Select(flow => (flow.GetProperty("packets").GetInt32(), flow.GetProperty("bytes").GetInt32())));
        Assert.All(report.GetProperty("flows").EnumerateArray(), flow => Assert.Contains("in_port(7)", flow.GetProperty("flow").GetString(), StringComparison.Ordinal));
        Assert.Equal(0, report.GetProperty("missed").GetInt32());
        Assert.Equal("""{"lastAction":1}""", Compact(report.GetProperty("drops")));
    }

    [Fact]
    public void A_loop_plays_from_memory_and_allocates_nothing()
    {
        string flows = Write("some.flows", UdpFlow + " 2\n");
        string capture = Write("in.pcap", new CaptureBytes(false).PcapHeader(0xa1b23c4d).Record(5, 6, Udp).ToArray());
        string directory = Path.Combine(_directory, "out");
        Assert.Equal(0, Allocated.Least(Play));

        long Play()
        {
            (int exitCode, string output, string error) = Run("replay", capture, "--flows", flows, "--loop", "0.3", "--json", "--out-dir", directory);
            Assert.Equal(0, exitCode);
            Assert.Contains("--out-dir", error, StringComparison.Ordinal);
            Assert.False(Directory.Exists(directory));
            using JsonDocument document = JsonDocument.Parse(output);
            JsonElement report = document.RootElement;
            ulong packets = report.GetProperty("packets").GetUInt64();
            Assert.True(packets > 1_000);
            Assert.InRange(report.GetProperty("seconds").GetDouble(), 0.3, 10);
            Assert.Equal(packets, report.GetProperty("ports").GetProperty("2").GetProperty("txPackets").GetUInt64());
            Assert.Equal(packets * 46, report.GetProperty("flows")[0].GetProperty("bytes").GetUInt64());
            Assert.Equal("{}", Compact(report.GetProperty("drops")));
            return (long)Math.Ceiling(report.GetProperty("allocatedBytesPerPacket").GetDouble() * packets);
        }
    }

    [Theory]
    [InlineData("in_port(1),eth(),eth_type(0x0800),ipv4(src=10.0.0.300) 2")]
    [InlineData("in_port(1),eth(),eth_type(0x0800),ipv4(frag=no) outptu(2)")]
    [InlineData("in_port(1),eth(),eth_type(0x0806) set(ipv4(ttl=5)),2")]
    [InlineData("in_port(1),eth(),eth_type(0x0800),ipv4(),tcp(src=1) 2")]
    public void A_flow_that_does_not_parse_or_that_the_kernel_would_refuse_is_told_by_place_and_nothing_is_replayed(string line)
    {
        string flows = Write("bad.flows", $"{UdpFlow} 2\n# fine so far\n{line}\n");
        string directory = Path.Combine(_directory, "out");
        (int exitCode, string output, string error) = Run("replay", Sample("two-hosts.pcap"), "--flows", flows, "--out-dir", directory);
        Assert.Equal((2, string.Empty), (exitCode, output));
        Assert.Matches("^" + System.Text.RegularExpressions.Regex.Escape(flows) + @":3:[1-9][0-9]*: [^\n]{8,}\r?\n$", error);
        Assert.False(Directory.Exists(directory));
    }

    [Fact]
    public void A_flow_given_twice_is_refused()
    {
        string flows = Write("bad.flows", $"{UdpFlow} 2\n{UdpFlow} 3\n");
        (int exitCode, _, string error) = Run("replay", Sample("two-hosts.pcap"), "--flows", flows);
        Assert.Equal(2, exitCode);
        Assert.StartsWith($"{flows}:2:1: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_capture_is_replayed_up_to_the_damage()
    {
        string flows = Write("some.flows", UdpFlow + " 2\n");
        byte[] whole = new CaptureBytes(false).PcapHeader().Record(5, 6, Udp).Record(5, 6, Udp).Record(5, 6, Udp).ToArray();
        string capture = Write("cut.pcap", whole[..^1]);
        (int exitCode, string output, string error) = Run("replay", capture, "--flows", flows, "--json", "--out-dir", _directory);
        Assert.Equal(3, exitCode);
        Assert.Equal($"engine: {capture}: byte {whole.Length - Udp.Length - 16}: truncated: a record takes 62 bytes and the file ends after 61 of them\n", error.ReplaceLineEndings("\n"));
        Assert.Equal(2, JsonDocument.Parse(output).RootElement.GetProperty("packets").GetInt32());
        Assert.Equal(2, CaptureBytes.Read(File.ReadAllBytes(Path.Combine(_directory, "port-2.pcap"))).Packets.Count);
    }

    [Theory]
    [InlineData("--json")]
    [InlineData("--loop=0.1")]
    public void A_corrupt_capture_is_replayed_up_to_the_damage(string option)
    {
        string flows = Write("some.flows", UdpFlow + " 2\n");
        byte[] whole = new CaptureBytes(false).Section().Interface().Enhanced(0, 5, Udp).U32(6).U32(9999).U32(1).U32(0).ToArray();
        string capture = Write("corrupt.pcapng", whole);
        (int exitCode, string output, string error) = Run("replay", capture, "--flows", flows, option);
        Assert.Equal(3, exitCode);
        Assert.Contains($"byte {whole.Length - 16}: corrupt: a packet block cannot have 9999 bytes", error, StringComparison.Ordinal);
        Assert.NotEmpty(output);
    }

    [Fact]
    public void A_capture_cut_in_its_header_is_damaged_too()
    {
        string flows = Write("some.flows", UdpFlow + " 2\n");
        string capture = Write("cut.pcap", new CaptureBytes(false).PcapHeader().ToArray()[..10]);
        (int exitCode, string output, string error) = Run("replay", capture, "--flows", flows);
        Assert.Equal((3, string.Empty), (exitCode, output));
        Assert.Contains("byte 0: truncated", error, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> BadFiles() => new()
    {
        { "unsupported link type", "link type 113 (Linux cooked) is not supported" },
        { "no capture", "neither a pcap nor a pcapng capture" },
        { "no such capture", "no such file or directory" },
        { "a directory", "it is a directory" },
        { "no such flows", "no such file or directory" },
        { "flows are a directory", "it is a directory" },
        { "directory below a file", "cannot write to" },
        { "file is a directory", "it is a directory" },
        { "capture would be overwritten", "it is the capture that is to be played" },
    };

    [Theory]
    [MemberData(nameof(BadFiles))]
    public void A_file_that_cannot_be_used_is_told_in_one_line(string what, string message)
    {
        string flows = Write("some.flows", UdpFlow + " 2\n");
        string directory = Path.Combine(_directory, "out");
        string capture = Write("in.pcap", new CaptureBytes(false).PcapHeader(linkType: what == "unsupported link type" ? 113u : 1).Record(0, 0, Udp).ToArray());
        switch (what)
        {
            case "no capture":
                capture = flows;
                break;
            case "no such capture":
                capture += ".gone";
                break;
            case "a directory":
                capture = _directory;
                break;
            case "no such flows":
                flows += ".gone";
                break;
            case "flows are a directory":
                flows = _directory;
                break;
            case "directory below a file":
                directory = Path.Combine(flows, "out");
                break;
            case "file is a directory":
                Directory.CreateDirectory(Path.Combine(directory, "port-2.pcap"));
                break;
            case "capture would be overwritten":
                Directory.CreateDirectory(directory);
                File.Move(capture, Path.Combine(directory, "port-2.pcap"));
                capture = Path.Combine(_directory, ".", "out", "port-2.pcap");
                break;
            default:
                break;
        }

        (int exitCode, string output, string error) = Run("replay", capture, "--flows", flows, "--out-dir", directory);
        Assert.Equal((2, string.Empty), (exitCode, output));
        Assert.StartsWith("engine: ", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Equal(error.Length - 1, error.IndexOf('\n', StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "Required command")]
    [InlineData("bogus", "bogus")]
    [InlineData("replay", "--flows")]
    [InlineData("replay x --flows y --loop 0", "--loop")]
    [InlineData("replay x --flows y --loop soon", "soon")]
    [InlineData("replay x --flows y --in-port 65535", "--in-port")]
    [InlineData("replay x --flows y --in-port -1", "--in-port -1")]
    public void Bad_arguments_are_told_with_a_hint(string arguments, string message)
    {
        (int exitCode, string output, string error) = Run(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((2, string.Empty), (exitCode, output));
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Contains("--help'", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help", "replay <IN>")]
    [InlineData("replay --help", "--out-dir <DIR>")]
    [InlineData("--version", "0.1.0")]
    public void Help_and_version_are_printed(string arguments, string expected)
    {
        (int exitCode, string output, string error) = Run(arguments.Split(' '));
        Assert.Equal((0, string.Empty), (exitCode, error));
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_shipped_capture_goes_through_the_shipped_flows()
    {
        (int exitCode, string output, string error) = Run("replay", Sample("two-hosts.pcap"), "--flows", Sample("two-hosts.flows"), "--json", "--out-dir", _directory);
        Assert.Equal(string.Empty, error);
        Assert.Equal(0, exitCode);
        JsonElement report = JsonDocument.Parse(output).RootElement;
        Assert.All(report.GetProperty("flows").EnumerateArray(), flow => Assert.True(flow.GetProperty("packets").GetInt32() > 0, flow.GetProperty("flow").GetString()));
        Assert.True(report.GetProperty("packets").GetInt32() > 100);
        Assert.InRange(report.GetProperty("missed").GetInt32(), 1, 50);
        Assert.True(new FileInfo(Sample("two-hosts.pcap")).Length < 1_000_000);
    }

    private static (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        int exitCode = EngineCommand.Run(arguments, output, error);
        return (exitCode, output.ToString(), error.ToString());
    }

    private static string Sample(string name) => Path.Combine(Repository.Root, "Engine.Cli", "Samples", name);

    private static byte[] Frame(string hexadecimal) => Convert.FromHexString(hexadecimal);

    private static string Compact(JsonElement element) => JsonSerializer.Serialize(element);

    private string Write(string name, string content) => Write(name, System.Text.Encoding.UTF8.GetBytes(content));

    private string Write(string name, byte[] content)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
