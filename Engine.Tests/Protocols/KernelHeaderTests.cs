using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Engine.Protocols;

namespace Engine.Tests.Protocols;

/// <summary>The C compiler's word on the headers that the kernel declares too: size and offsets in linux/*.h.</summary>
public sealed class KernelHeaderTests
{
    private static readonly (Type Header, string Struct, (string Field, string Member)[] Fields)[] Structs =
    [
        (typeof(EthernetHeader), "struct ethhdr", [("Destination", "h_dest"), ("Source", "h_source"), ("EtherType", "h_proto")]),
        (typeof(Ipv4Header), "struct iphdr",
        [
            ("Tos", "tos"), ("TotalLength", "tot_len"), ("Identification", "id"), ("FlagsAndFragmentOffset", "frag_off"), ("Ttl", "ttl"),
            ("Protocol", "protocol"), ("Checksum", "check"), ("Source", "saddr"), ("Destination", "daddr"),
        ]),
        (typeof(Ipv6Header), "struct ipv6hdr",
        [
            ("PayloadLength", "payload_len"), ("NextHeader", "nexthdr"), ("HopLimit", "hop_limit"), ("Source", "saddr"), ("Destination", "daddr"),
        ]),
        (typeof(Ipv6ExtensionHeader), "struct ipv6_opt_hdr", [("NextHeader", "nexthdr"), ("Length", "hdrlen")]),
        (typeof(Ipv6RoutingHeader), "struct ipv6_rt_hdr", [("NextHeader", "nexthdr"), ("Length", "hdrlen"), ("RoutingType", "type"), ("SegmentsLeft", "segments_left")]),
        (typeof(TcpHeader), "struct tcphdr",
        [
            ("SourcePort", "source"), ("DestinationPort", "dest"), ("SequenceNumber", "seq"), ("AcknowledgmentNumber", "ack_seq"),
            ("Window", "window"), ("Checksum", "check"), ("UrgentPointer", "urg_ptr"),
        ]),
        (typeof(UdpHeader), "struct udphdr", [("SourcePort", "source"), ("DestinationPort", "dest"), ("Length", "len"), ("Checksum", "check")]),
        (typeof(IcmpHeader), "struct icmphdr", [("Type", "type"), ("Code", "code"), ("Checksum", "checksum"), ("Rest", "un")]),
        (typeof(Icmpv6Header), "struct icmp6hdr", [("Type", "icmp6_type"), ("Code", "icmp6_code"), ("Checksum", "icmp6_cksum"), ("Rest", "icmp6_dataun")]),
        (typeof(MplsLabelStackEntry), "struct mpls_label", [("Word", "entry")]),
    ];

    [SkippableFact]
    public void Headers_have_the_sizes_and_offsets_of_the_kernels_structs()
    {
        string folder = Directory.CreateTempSubdirectory("engine-headers-").FullName;
        try
        {
            string program = Path.Combine(folder, "offsets");
            File.WriteAllText(program + ".c", Source());
            Skip.IfNot(TryRun("cc", ["-o", program, program + ".c"], out _), "No C compiler with the kernel's headers here.");
            Assert.True(TryRun(program, [], out string printed));

            IEnumerable<int> ours = Structs.SelectMany(header => header.Fields
                .Select(field => (int)Marshal.OffsetOf(header.Header, field.Field))
                .Prepend(Marshal.SizeOf(header.Header)));
            Assert.Equal(ours, printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => int.Parse(line, CultureInfo.InvariantCulture)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Source()
    {
        string[] headers = ["if_ether", "ip", "ipv6", "tcp", "udp", "icmp", "icmpv6", "mpls"];
        IEnumerable<string> lines = Structs.SelectMany(header => header.Fields
            .Select(field => $"offsetof({header.Struct}, {field.Member})")
            .Prepend($"sizeof({header.Struct})"));
        return string.Join('\n', headers.Select(header => $"#include <linux/{header}.h>"))
            + "\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {\n"
            + string.Join('\n', lines.Select(line => $"printf(\"%d\\n\", (int){line});"))
            + "\nreturn 0; }\n";
    }

    private static bool TryRun(string program, string[] arguments, out string output)
    {
        output = string.Empty;
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
