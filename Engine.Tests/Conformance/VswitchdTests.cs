using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Engine.Tests.Allocation;
using Engine.Tests.Live;
using Xunit.Abstractions;

namespace Engine.Tests.Conformance;

/// <summary>Unmodified ovs-vswitchd on the engine forwards between two hosts, as OpenFlow says.</summary>
/// <remarks>
/// <para>Ports 1 and 2 of the bridge are the hosts. 3 and 4 are the two ends of a wire: what leaves by one comes in at the other, so tags really are in frames.</para>
/// <para>Needs root and <c>openvswitch-switch</c>; skipped without.</para>
/// </remarks>
[Collection(AloneCollection.Name)]
public sealed partial class VswitchdTests : IDisposable
{
    private readonly TwoHosts _hosts;
    private readonly OpenVSwitch _ovs;

    public VswitchdTests(ITestOutputHelper output)
    {
        OpenVSwitch.Require();
        _hosts = new TwoHosts();
        try
        {
            _ovs = new OpenVSwitch(_hosts.Switch, output);
            _hosts.Switch.Run("ip link add wire3 mtu 1600 type veth peer name wire4 mtu 1600; ip link set wire3 up; ip link set wire4 up");
            _ovs.Vsctl("""
                add-br br0 -- set-fail-mode br0 secure
                -- add-port br0 left -- set Interface left ofport_request=1
                -- add-port br0 right -- set Interface right ofport_request=2
                -- add-port br0 wire3 -- set Interface wire3 ofport_request=3
                -- add-port br0 wire4 -- set Interface wire4 ofport_request=4
                """);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private static string[] Hairpin(string match, string toWire, string fromWireMatch, string fromWire) =>
    [
        $"table=0,in_port=1,{match},actions={toWire},output:3",
        $"table=0,in_port=4,{fromWireMatch},actions={fromWire},output:2",
        $"table=0,in_port=2,{match},actions={toWire},output:4",
        $"table=0,in_port=3,{fromWireMatch},actions={fromWire},output:1",
    ];

    public void Dispose()
    {
        _ovs?.Dispose();
        _hosts.Dispose();
    }

    [SkippableFact]
    public void Hosts_talk_through_a_bridge_that_learns()
    {
        _ovs.SetFlows("br0", "in_port=1,actions=NORMAL", "in_port=2,actions=NORMAL");
        Traffic.Ping(_hosts.Left, 2);
        Traffic.Ping(_hosts.Right, 1, size: 1400);
        Traffic.Tcp(_hosts.Left, _hosts.Right, "10.77.0.2", 50 << 20);
        Traffic.Tcp(_hosts.Right, _hosts.Left, "fd77::1", 50 << 20);
        Traffic.Udp(_hosts.Left, _hosts.Right, "10.77.0.2", 4000, 20);

        // The same flows, asked for in two ways.
        string[] byDaemon = MatchesOf(_ovs.Appctl("dpctl/dump-flows", "system@ovs-system", "filter=ip"));
        Assert.Contains(byDaemon, static flow => flow.Contains("eth_type(0x0800),ipv4(frag=no)", StringComparison.Ordinal));
        Assert.Equal(byDaemon, MatchesOf(_ovs.Dpctl("dump-flows", "system@ovs-system", "filter=ip")));
        Assert.Contains("02:00:00:00:77:02", _ovs.Appctl("fdb/show", "br0"), StringComparison.Ordinal);
        _ovs.AssertNoWarnings();
    }

    [SkippableFact]
    public void Tables_push_and_pop_vlan_tags()
    {
        _ovs.SetFlows("br0",
            "table=0,in_port=1,actions=push_vlan:0x8100,set_field:4103->vlan_vid,set_field:5->vlan_pcp,goto_table:1",
            "table=1,dl_vlan=7,actions=output:3",
            "table=0,in_port=4,dl_vlan=7,dl_vlan_pcp=5,actions=pop_vlan,output:2",
            "table=0,in_port=2,actions=push_vlan:0x8100,set_field:4104->vlan_vid,output:4",
            "table=0,in_port=3,dl_vlan=8,actions=strip_vlan,output:1");
        Talk();
        string flows = _ovs.Appctl("dpctl/dump-flows");
        Assert.Contains("push_vlan(vid=7,pcp=5)", flows, StringComparison.Ordinal);
        Assert.Contains("pop_vlan", flows, StringComparison.Ordinal);
        string trace = _ovs.Appctl("ofproto/trace", "br0", "in_port=1,dl_src=02:00:00:00:77:01,dl_dst=02:00:00:00:77:02,dl_type=0x88b5");
        Assert.Matches(@"Datapath actions: push_vlan\(vid=7,pcp=5\),\d+\n", trace);
        _ovs.AssertNoWarnings();
    }

    [SkippableFact]
    public void Tables_push_and_pop_mpls_labels()
    {
        _ovs.SetFlows("br0",
        [
            .. Hairpin("ip", "push_mpls:0x8847,set_field:1017->mpls_label,push_mpls:0x8847,set_field:18->mpls_label", "mpls,mpls_label=18",
                "pop_mpls:0x8847,resubmit(,2)"),
            "table=2,in_port=4,mpls,mpls_label=1017,actions=pop_mpls:0x0800,output:2",
            "table=2,in_port=3,mpls,mpls_label=1017,actions=pop_mpls:0x0800,output:1",
            .. Hairpin("arp", "push_vlan:0x8100,set_field:4105->vlan_vid", "dl_vlan=9", "pop_vlan"),
        ]);

        // What the wire's end gives on as well still has a label; hosts drop that.
        _hosts.Left.Run("ping -n -q -c 20 -i 0.02 -W 30 10.77.0.2");
        Traffic.Tcp(_hosts.Left, _hosts.Right, "10.77.0.2", 4 << 20);
        string flows = _ovs.Appctl("dpctl/dump-flows");
        Assert.Contains("push_mpls(label=1017,tc=0,ttl=64,bos=1,eth_type=0x8847)", flows, StringComparison.Ordinal);
        Assert.Contains("pop_mpls(eth_type=0x8847)", flows, StringComparison.Ordinal);
        Assert.Contains("pop_mpls(eth_type=0x800)", flows, StringComparison.Ordinal);
        _ovs.AssertNoWarnings();
    }

    [SkippableFact]
    public void Set_field_rewrites_addresses_and_ports()
    {
        // The host on the left knows the other one by another address and port.
        _hosts.Left.Run("ip neigh add 10.77.0.99 lladdr 02:00:00:00:00:99 dev eth; ip neigh add fd77::99 lladdr 02:00:00:00:00:99 dev eth");
        _ovs.SetFlows("br0",
            "in_port=1,ip,nw_dst=10.77.0.99,actions=set_field:10.77.0.2->ip_dst,set_field:02:00:00:00:77:02->eth_dst,dec_ttl,output:2",
            "in_port=2,ip,nw_dst=10.77.0.1,actions=set_field:10.77.0.99->ip_src,set_field:02:00:00:00:00:99->eth_src,output:1",
            "in_port=1,ipv6,ipv6_dst=fd77::99,actions=set_field:fd77::2->ipv6_dst,set_field:02:00:00:00:77:02->eth_dst,dec_ttl,output:2",
            "in_port=2,ipv6,ipv6_dst=fd77::1,icmp6,icmp_type=129,actions=set_field:fd77::99->ipv6_src,set_field:02:00:00:00:00:99->eth_src,output:1",
            "in_port=1,priority=65000,udp,nw_dst=10.77.0.99,tp_dst=7000,actions=set_field:10.77.0.2->ip_dst,set_field:02:00:00:00:77:02->eth_dst,set_field:7001->udp_dst,output:2",
            "in_port=2,priority=65000,udp,tp_src=7001,actions=set_field:10.77.0.99->ip_src,set_field:7000->udp_src,output:1",
            "priority=1,in_port=1,arp,actions=output:2",
            "priority=1,in_port=2,arp,actions=output:1",
            "priority=1,in_port=1,icmp6,actions=output:2",
            "priority=1,in_port=2,icmp6,actions=output:1");
        _hosts.Left.Run("ping -n -q -c 5 -i 0.05 -W 30 10.77.0.99; ping -n -q -c 5 -i 0.05 -W 30 fd77::99");
        using Socket server = _hosts.Right.Call(static () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        using Socket client = _hosts.Left.Call(static () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        server.Bind(new IPEndPoint(IPAddress.Parse("10.77.0.2"), 7001));
        client.Connect(new IPEndPoint(IPAddress.Parse("10.77.0.99"), 7000));
        server.ReceiveTimeout = client.ReceiveTimeout = 60_000;
        byte[] buffer = new byte[64];
        for (byte i = 0; i < 20; i++)
        {
            client.Send([i, 1, 2]);
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            Assert.Equal(3, server.ReceiveFrom(buffer, ref from));
            Assert.Equal(i, buffer[0]);
            server.SendTo([i], from);
            Assert.Equal(1, client.Receive(buffer));
            Assert.Equal(i, buffer[0]);
        }

        _ovs.AssertNoWarnings();
    }

    [SkippableTheory]
    [InlineData("selection_method=dp_hash", "hash(l4(0)),recirc(")]
    [InlineData("selection_method=hash,fields(ip_src,udp_src)", "set(ipv4(tos=")]
    public void Select_groups_spread_flows(string method, string action)
    {
        const int Sockets = 64, Each = 4;
        _ovs.Ofctl("add-group", "br0", $"group_id=1,type=select,{method},bucket=actions=set_field:1->ip_dscp,output:2,bucket=actions=set_field:2->ip_dscp,output:2,bucket=actions=set_field:3->ip_dscp,output:2");
        _ovs.SetFlows("br0", "priority=10,in_port=1,udp,actions=group:1", "in_port=2,actions=output:1", "priority=1,in_port=1,actions=output:2");
        Traffic.Ping(_hosts.Left, 2);
        using Socket server = _hosts.Right.Call(static () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        server.Bind(new IPEndPoint(IPAddress.Parse("10.77.0.2"), 7001));
        server.ReceiveTimeout = 60_000;
        byte[] buffer = new byte[64];
        for (int i = 0; i < Sockets; i++)
        {
            using Socket client = _hosts.Left.Call(static () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
            // Neither hash has a secret, so that with fixed ports the shares are the same in every run.
            client.Bind(new IPEndPoint(IPAddress.Parse("10.77.0.1"), 20_000 + i));
            client.Connect(server.LocalEndPoint!);
            for (int n = 0; n < Each; n++)
            {
                client.Send([(byte)i]);
                Assert.Equal(1, server.Receive(buffer));
                Assert.Equal(i, buffer[0]);
            }
        }

        Assert.Contains(action, _ovs.Appctl("dpctl/dump-flows"), StringComparison.Ordinal);

        // Statistics come with the next round of the revalidator.
        long[] buckets = [];
        Eventually.IsSo(() => (buckets = CountBuckets()).Sum() >= Sockets * Each, "group statistics");
        Assert.Equal(Sockets * Each, buckets.Sum());
        Assert.All(buckets, static packets => Assert.InRange(packets, Each, Sockets * Each / 2));

        // A flow stays with its bucket.
        Assert.All(buckets, static packets => Assert.Equal(0, packets % Each));
        _ovs.AssertNoWarnings();
    }

    [SkippableFact]
    public void Meters_limit_and_count()
    {
        const int Sent = 3000, Rate = 200, Burst = 100;
        _ovs.Ofctl("add-meter", "br0", $"meter=5,pktps,burst,stats,band=type=drop,rate={Rate},burst_size={Burst}");
        _ovs.SetFlows("br0", "priority=10,in_port=1,udp,actions=meter:5,output:2", "in_port=2,actions=output:1", "priority=1,in_port=1,actions=output:2");
        Traffic.Ping(_hosts.Left, 2);
        using Socket server = _hosts.Right.Call(static () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        using Socket client = _hosts.Left.Call(static () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        server.Bind(new IPEndPoint(IPAddress.Parse("10.77.0.2"), 7001));
        client.Connect(server.LocalEndPoint!);
        int received = 0;
        byte[] buffer = new byte[64];
        System.Diagnostics.Stopwatch clock = System.Diagnostics.Stopwatch.StartNew();
        for (int i = 0; i < Sent; i++)
        {
            client.Send([1]);
            if (i % 50 == 49)
            {
                Thread.Sleep(1);

                // More can pass, when this takes long, than the socket keeps.
                Drain();
            }
        }

        long took = clock.ElapsedMilliseconds;
        Eventually.IsSo(() => CountMeter("packet_in_count") >= Sent, "the meter's statistics");
        Drain();

        // Every packet was either passed or counted as dropped, and no more passed than the bucket held and got.
        Assert.Equal(Sent, CountMeter("packet_in_count"));
        Assert.Equal(Sent - received, CountMeter(@"0:\s*packet_count"));
        Assert.InRange(received, Burst, Burst + (Rate * (took + 1000) / 1000));
        _ovs.Ofctl("mod-meter", "br0", "meter=5,kbps,stats,band=type=drop,rate=1000");
        Assert.Contains("rate=1000", _ovs.Ofctl("dump-meter", "br0", "meter=5"), StringComparison.Ordinal);
        _ovs.Ofctl("del-meters", "br0");
        _ovs.AssertNoWarnings();

        void Drain()
        {
            while (server.Available > 0 && server.Receive(buffer) > 0)
            {
                received++;
            }
        }
    }

    [SkippableFact]
    public void Patch_ports_and_bonds_join_bridges()
    {
        _hosts.Switch.Run("ip link add wire5 type veth peer name wire6; ip link set wire5 up; ip link set wire6 up");
        _ovs.Vsctl("""
            del-port br0 right -- del-port br0 wire3 -- del-port br0 wire4 -- set-fail-mode br0 standalone
            -- add-br br1 -- add-br br2 -- add-port br2 right
            -- add-port br0 to1 -- set Interface to1 type=patch options:peer=to0 -- add-port br1 to0 -- set Interface to0 type=patch options:peer=to1
            -- add-bond br1 bond1 wire3 wire5 bond_mode=balance-tcp lacp=active other_config:lacp-time=fast
            -- add-bond br2 bond2 wire4 wire6 bond_mode=balance-tcp lacp=active other_config:lacp-time=fast
            """);
        _ovs.SetFlows("br0", "actions=NORMAL");
        Eventually.IsSo(() => _ovs.Appctl("bond/show", "bond1").Split("\nmember ").Skip(1).All(static member => member.Contains(": enabled", StringComparison.Ordinal)), "LACP");
        Traffic.Ping(_hosts.Left, 2);
        for (int i = 0; i < 8; i++)
        {
            Traffic.Tcp(_hosts.Left, _hosts.Right, "10.77.0.2", 1 << 20);
        }

        Assert.Contains("hash(l4(0)),recirc(", _ovs.Appctl("dpctl/dump-flows"), StringComparison.Ordinal);
        _hosts.Switch.Run("ip link set wire3 down");
        Traffic.Tcp(_hosts.Left, _hosts.Right, "10.77.0.2", 4 << 20);
        _ovs.AssertNoWarnings();
    }

    [SkippableFact]
    public void Features_are_those_of_the_kernel()
    {
        // What conntrack alone can answer waits for it.
        string[] waiting = ["Conntrack eventmask", "Conntrack timeout policy", "CT "];
        string[] kernel = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Conformance", "dp-features.txt"));
        string[] features = _ovs.Appctl("dpif/show-dp-features", "br0").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(kernel.Select(line => waiting.Any(line.StartsWith) ? line.Replace("Yes", "No", StringComparison.Ordinal) : line), features);

        // Upcalls go to a socket for each processor, as with kernels since 5.15.
        Assert.Contains(_ovs.ReadLog("ovs-vswitchd.log"), static line => line.Contains("Datapath dispatch mode: per-cpu", StringComparison.Ordinal));
        _ovs.AssertNoWarnings();
    }

    private void Talk()
    {
        Traffic.Ping(_hosts.Left, 2);
        Traffic.Ping(_hosts.Right, 1, size: 1400);
        Traffic.Tcp(_hosts.Left, _hosts.Right, "10.77.0.2", 4 << 20);
        Traffic.Tcp(_hosts.Right, _hosts.Left, "fd77::1", 4 << 20);
    }

    // What flows match, without counters and times, in order.
    private static string[] MatchesOf(string flows) =>
        [.. flows.Split('\n').Where(static line => line.Contains("actions:", StringComparison.Ordinal)).Select(static line => Counters().Replace(line, "")).Order(StringComparer.Ordinal)];

    private long[] CountBuckets() =>
        [.. BucketCount().Matches(_ovs.Ofctl("dump-group-stats", "br0", "group_id=1")).Select(static match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    private long CountMeter(string counter) =>
        long.Parse(Regex.Match(_ovs.Ofctl("meter-stats", "br0", "meter=5"), counter + @":(\d+)", RegexOptions.Singleline).Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"bucket\d+:packet_count=(\d+)")]
    private static partial Regex BucketCount();

    [GeneratedRegex(@" packets:.*")]
    private static partial Regex Counters();
}
