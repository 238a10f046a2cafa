using Engine.Tests.Allocation;
using Engine.Tests.Conformance;
using Engine.Tests.Live;
using Xunit.Abstractions;

namespace Engine.Tests.Tunnels;

/// <summary>Two unmodified ovs-vswitchd, each on an engine of its own in a namespace of its own, joined by tunnels; and one with the kernel's VXLAN device.</summary>
/// <remarks>Needs root, <c>openvswitch-switch</c>, tcpdump and tshark; skipped without.</remarks>
[Collection(AloneCollection.Name)]
public sealed class TunnelVswitchdTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Two_switches_are_joined_by_every_kind_of_tunnel()
    {
        Require();
        using TunnelUnderlays wire = new();
        using OpenVSwitch left = new(wire.Left, output), right = new(wire.Right, output);
        AddBridge(left, wire.Left, 1);
        AddBridge(right, wire.Right, 2);
        int id = 0;
        foreach ((string type, bool isIpv6, string protocol) in ((string, bool, string)[])
        [
            ("vxlan", false, "vxlan"),
            ("vxlan", true, "vxlan"),
            ("geneve", false, "geneve"),
            ("geneve", true, "geneve"),
            ("gre", false, "gre"),
            ("ip6gre", true, "gre"),
            ("erspan", false, "erspan"),
        ])
        {
            output.WriteLine($"--- {type} {(isIpv6 ? "over IPv6" : "over IPv4")}");
            string more = type == "erspan" ? "options:erspan_ver=1 options:erspan_idx=3" : "options:csum=" + (type is "vxlan" or "geneve" ? "true" : "false");
            wire.StartCapture();

            // A key of its own for each, and no flows of the last one that linger.
            id++;
            AddTunnel(left, type, isIpv6, 2, more, id);
            AddTunnel(right, type, isIpv6, 1, more, id);
            left.Appctl("revalidator/purge");
            right.Appctl("revalidator/purge");
            wire.Left.Run("ping -n -q -c 3 -i 0.1 -W 30 10.78.0.2");
            wire.Right.Run("ping -n -q -c 3 -i 0.1 -W 30 fd78::1");
            wire.Left.Run("ping -n -q -c 2 -i 0.1 -W 30 -s 8000 10.78.0.2");
            Traffic.Tcp(wire.Left, wire.Right, "10.78.0.2", 8 << 20);
            Traffic.Tcp(wire.Right, wire.Left, "fd78::1", 8 << 20);
            Assert.Contains("tunnel(", left.Dpctl("dump-flows"), StringComparison.Ordinal);
            wire.CheckCapture(protocol);
            left.Vsctl("del-port br0 tunnel0");
            right.Vsctl("del-port br0 tunnel0");
        }

        // Said of flows that linger once their port is gone; and because ovs-vswitchd also deletes a device of the port's name, which a port
        // asked for by its type has not got.
        left.AssertNoWarnings("receive tunnel port not found", "port_del failed (No such device)");
        right.AssertNoWarnings("receive tunnel port not found", "port_del failed (No such device)");
    }

    // Of the further kinds Open vSwitch 3.1 knows these two by name. Their ports take packets without Ethernet headers, so there is no ARP.
    [SkippableFact]
    public void Two_switches_are_joined_by_tunnels_of_packets()
    {
        Require();
        using TunnelUnderlays wire = new();
        using OpenVSwitch left = new(wire.Left, output), right = new(wire.Right, output);
        AddBridge(left, wire.Left, 1);
        AddBridge(right, wire.Right, 2);
        foreach ((string type, bool isIpv6, string protocol) in ((string, bool, string)[])[("lisp", false, "lisp-data"), ("gtpu", false, "gtp"), ("gtpu", true, "gtp")])
        {
            output.WriteLine($"--- {type} {(isIpv6 ? "over IPv6" : "over IPv4")}");
            wire.StartCapture();
            AddTunnel(left, type, isIpv6, 2, string.Empty);
            AddTunnel(right, type, isIpv6, 1, string.Empty);
            SetFlows(left, wire.Left, 2);
            SetFlows(right, wire.Right, 1);
            wire.Left.Run("ping -n -q -c 3 -i 0.1 -W 30 10.78.0.2");
            wire.Right.Run("ping -n -q -c 3 -i 0.1 -W 30 fd78::1");
            Traffic.Tcp(wire.Left, wire.Right, "10.78.0.2", 4 << 20);
            Traffic.Tcp(wire.Right, wire.Left, "fd78::1", 4 << 20);
            wire.CheckCapture(protocol);
            left.Vsctl("del-port br0 tunnel0");
            right.Vsctl("del-port br0 tunnel0");
        }

        static void SetFlows(OpenVSwitch ovs, NetworkNamespace space, int other)
        {
            string address = space.Run("cat /sys/class/net/br0/address").Trim();
            string port = ovs.Vsctl("get interface tunnel0 ofport").Trim();
            space.Run($"ip neigh replace 10.78.0.{other} lladdr 02:00:00:00:00:99 dev br0 nud permanent; ip neigh replace fd78::{other} lladdr 02:00:00:00:00:99 dev br0 nud permanent");
            ovs.SetFlows("br0", $"in_port={port},actions=set_field:{address}->eth_dst,LOCAL", $"in_port=LOCAL,ip,actions={port}", $"in_port=LOCAL,ipv6,actions={port}");
        }
    }

    [SkippableTheory]
    [InlineData(false, 1500)]
    [InlineData(true, 1500)]
    [InlineData(false, 9000)]
    public void The_kernels_VXLAN_device_is_a_peer(bool isIpv6, int mtu)
    {
        Require();
        using TunnelUnderlays wire = new(mtu);
        using OpenVSwitch left = new(wire.Left, output);
        int inner = mtu - (isIpv6 ? 70 : 50);
        AddBridge(left, wire.Left, 1, inner);
        wire.StartCapture();
        AddTunnel(left, "vxlan", isIpv6, 2, "options:csum=" + (isIpv6 ? "true" : "false"));
        wire.Right.Run($"ip link add vx0 mtu {inner} type vxlan id 5 dstport 4789 remote {(isIpv6 ? "2001:db8:99::1" : "10.99.0.1 noudpcsum")}"
            + "; ip addr add 10.78.0.2/24 dev vx0; ip addr add fd78::2/64 dev vx0 nodad; ip link set vx0 up");
        wire.Left.Run("ping -n -q -c 3 -i 0.1 -W 30 10.78.0.2");
        wire.Right.Run("ping -n -q -c 3 -i 0.1 -W 30 fd78::1");

        // What may not be cut is answered, so that senders learn what the tunnel takes.
        left.Vsctl("set interface br0 mtu_request=9500");
        int least = inner;
        Assert.Contains($"mtu = {inner}", wire.Left.Run("ping -n -c 1 -W 30 -M do -s 9200 10.78.0.2 || true"), StringComparison.Ordinal);
        Assert.Contains($"mtu={inner}", wire.Left.Run("ping -n -c 1 -W 30 -M do -s 9200 fd78::2 || true"), StringComparison.Ordinal);
        left.Vsctl($"set interface br0 mtu_request={inner}");

        // Longer than the wire takes: inner fragments, then a whole jumbo frame, which the outer packet has to be cut for.
        wire.Right.Run("ping -n -q -c 2 -i 0.1 -W 30 -s 12000 10.78.0.1");
        wire.Left.Run("ping -n -q -c 2 -i 0.1 -W 30 -s 12000 fd78::2");
        Traffic.Tcp(wire.Left, wire.Right, "10.78.0.2", 16 << 20);
        Traffic.Tcp(wire.Right, wire.Left, "10.78.0.1", 16 << 20);
        Traffic.Tcp(wire.Left, wire.Right, "fd78::2", 4 << 20);
        Traffic.Tcp(wire.Right, wire.Left, "fd78::1", 4 << 20);
        wire.CheckCapture("vxlan");
        left.AssertNoWarnings();
    }

    [SkippableFact]
    public void A_taken_port_is_refused_and_the_others_go_on()
    {
        Require();
        using TunnelUnderlays wire = new();
        using OpenVSwitch left = new(wire.Left, output), right = new(wire.Right, output);
        AddBridge(left, wire.Left, 1);
        AddBridge(right, wire.Right, 2);
        AddTunnel(left, "vxlan", isIpv6: false, 2, string.Empty);
        AddTunnel(right, "vxlan", isIpv6: false, 1, string.Empty);
        wire.Left.Run("ping -n -q -c 2 -i 0.1 -W 30 10.78.0.2");
        using System.Net.Sockets.Socket holder = wire.Left.Call(static () =>
        {
            System.Net.Sockets.Socket socket = new(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Udp);
            socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Any, 6081));
            return socket;
        });
        (int exit, string text) = left.TryRun([.. left.Exec, "ovs-dpctl", "add-if", "ovs-system", "g1,type=geneve,remote_ip=flow,dst_port=6081"]);
        Assert.NotEqual(0, exit);
        Assert.Contains("Address already in use", text, StringComparison.Ordinal);

        // A route that vanishes and comes back.
        wire.Left.Run("ip addr del 10.99.0.1/24 dev wire");
        Assert.Throws<InvalidOperationException>(() => wire.Left.Run("ping -n -q -c 1 -W 1 10.78.0.2"));
        wire.Left.Run("ip addr add 10.99.0.1/24 dev wire; ping -n -q -c 2 -i 0.2 -W 30 10.78.0.2");
    }

    private static void Require()
    {
        OpenVSwitch.Require();
        Requires.Program("tcpdump");
        Requires.Program("tshark");
    }

    private static void AddBridge(OpenVSwitch ovs, NetworkNamespace space, int number, int mtu = 1400)
    {
        // In two steps, for the device is not there at once.
        ovs.Vsctl("add-br br0");
        ovs.Vsctl($"set interface br0 mtu_request={mtu}");
        space.Run($"ip addr add 10.78.0.{number}/24 dev br0; ip addr add fd78::{number}/64 dev br0 nodad; ip link set br0 up");
    }

    private static void AddTunnel(OpenVSwitch ovs, string type, bool isIpv6, int remote, string more, int id = 5) => ovs.Vsctl(
        $"add-port br0 tunnel0 -- set interface tunnel0 type={type} options:remote_ip={(isIpv6 ? "2001:db8:99::" : "10.99.0.")}{remote} options:key={id} {more}");
}
