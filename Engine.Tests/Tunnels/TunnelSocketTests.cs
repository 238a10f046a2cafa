using System.Buffers.Binary;
using System.Diagnostics;
using Engine.Flows;
using Engine.Primitives;
using Engine.Protocols;
using Engine.Tests.Allocation;
using Engine.Tests.Live;
using Engine.Tests.Oracles;
using Engine.Tunnels;
using Engine.Vports;

namespace Engine.Tests.Tunnels;

/// <summary>Every kind of tunnel by the host's sockets, over a wire between two namespaces, and how tshark decodes it.</summary>
/// <remarks>Needs root, tcpdump and tshark; skipped without.</remarks>
[Collection(AloneCollection.Name)]
public sealed class TunnelSocketTests
{
    private static readonly byte[] Frame = InnerFrame(86);

    /// <summary>Kind, whether over IPv6, what tshark calls it.</summary>
    public static TheoryData<string, bool, string> Kinds => new()
    {
        { "vxlan", false, "vxlan" },
        { "vxlan", true, "vxlan" },
        { "gbp", false, "vxlan" },
        { "geneve", false, "geneve" },
        { "geneve", true, "geneve" },
        { "gre", false, "gre.proto == 0x6558" },
        { "ip6gre", true, "gre.proto == 0x6558" },
        { "gre64", false, "gre.flags.sequence_number == 1 && gre.flags.checksum == 1" },
        { "gre64", true, "gre.flags.sequence_number == 1 && gre.flags.checksum == 1" },
        { "erspan", false, "erspan" },
        { "ip6erspan", true, "erspan" },
        { "bareudp", false, "mpls" },
        { "lisp", false, "lisp-data" },
        { "lisp", true, "lisp-data" },
        { "gtpu", false, "gtp.teid == 0x155" },
        { "gtpu", true, "gtp.teid == 0x155" },
        { "ip6srv6", true, "ipv6.routing.type == 4 && ip.dst == 10.0.0.2" },
    };

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void What_one_host_sends_another_receives_and_tshark_reads(string kind, bool isIpv6, string protocol)
    {
        Requires.NetworkAdministration();
        Requires.Program("tcpdump");
        Requires.Program("tshark");
        using TunnelUnderlays wire = new();
        using TunnelEnds left = Open(wire.Left, kind), right = Open(wire.Right, kind);
        wire.StartCapture();
        TunnelKeyFlags flags = kind is "gre64" || (isIpv6 && TunnelEnds.IsUdp(kind)) ? TunnelKeyFlags.Checksum : TunnelKeyFlags.None;
        TunnelKey tunnel = Tunnel(kind, flags, isIpv6);

        // Also one so long that it needs outer fragments.
        byte[] longer = InnerFrame(1600);
        bool isBare = TunnelEnds.IsBare(kind);
        ushort etherType = kind == "bareudp" ? EtherTypes.Mpls : EtherTypes.Ipv4;
        foreach (byte[] frame in (byte[][])[Frame, longer, Frame])
        {
            byte[] inner = kind == "bareudp" ? [0, 0, 0x51, 0x40, .. frame[14..]] : isBare ? frame[14..] : frame;
            Assert.True(left.Send(tunnel, inner, hasEthernet: !isBare, etherType: isBare ? etherType : (ushort)0));
            (FlowKey key, byte[] bytes) = WaitFor(right);
            Assert.Equal(inner, bytes);
            Assert.Equal(tunnel.Key.TunnelId, key.TunnelId);
            Assert.Equal(63, key.TunnelTtl);
            Assert.Equal(tunnel.Key.TunnelFlags | (kind.EndsWith("erspan", StringComparison.Ordinal) ? TunnelKeyFlags.Sequence : 0), key.TunnelFlags);
            Assert.Equal(isIpv6 ? "2001:db8:99::1" : "::", key.TunnelIpv6Source.ToString());
            Assert.Equal(isIpv6 ? 0u : 0x0a630001u, key.TunnelIpv4Source.Value);
            Assert.Equal(isIpv6 ? "2001:db8:99::2" : "::", key.TunnelIpv6Destination.ToString());
            Assert.Equal(isIpv6 ? 0u : 0x0a630002u, key.TunnelIpv4Destination.Value);
        }

        wire.CheckCapture(protocol);
    }

    [SkippableFact]
    public void Without_IPv6_what_needs_it_is_refused_and_the_rest_does_without()
    {
        Requires.NetworkAdministration();
        using NetworkNamespace space = new();
        TunnelVportFactory factory = new(new HostVportFactory());
        List<VportDevice> made = [];
        try
        {
            // What a host does that has IPv6 switched off by a kernel parameter cannot be had here: addresses off, the sockets stay.
            space.Run("sysctl -q -w net.ipv6.conf.all.disable_ipv6=1");
            Assert.Equal(Errno.None, Make("g6", VportType.Ip6Gre));
            Assert.Equal(Errno.None, Make("v4", VportType.Vxlan, 4789));
            ITunnelDriver ip6Gre = (ITunnelDriver)made[0].Driver, vxlan = (ITunnelDriver)made[1].Driver;
            Assert.False(ip6Gre.TryDescribeEgress(TunnelEnds.Tunnel("ip6gre"), 1, out _));
            Assert.False(vxlan.TryDescribeEgress(Tunnel("vxlan", TunnelKeyFlags.None, isIpv6: true), 1, out _));
            Assert.False(vxlan.TryDescribeEgress(TunnelEnds.Tunnel("vxlan"), 1, out _));
            space.Run("ip link add wire type veth peer name other; ip addr add 10.99.0.1/24 dev wire; ip link set wire up; ip link set other up");

            // Routes are asked for again soon.
            Stopwatch waited = Stopwatch.StartNew();
            while (!vxlan.TryDescribeEgress(TunnelEnds.Tunnel("vxlan"), 1, out _))
            {
                Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), "The route is not seen.");
                Thread.Sleep(5);
            }

            Assert.Equal(Errno.Exists, Make("v5", VportType.Vxlan, 4789));
            Assert.Equal(Errno.AddressInUse, Make("l1", VportType.Lisp, 4789));
            Assert.Equal(Errno.None, Make("l2", VportType.Lisp, 4341));
            Assert.Equal(Errno.None, Make("t1", VportType.Gtpu, 2152));
            Assert.Equal(Errno.None, Make("r1", VportType.Gre64));
            Assert.Equal(Errno.None, Make("s1", VportType.Srv6));
            Assert.Equal(Errno.Exists, Make("s2", VportType.Srv6));
            Assert.True(vxlan.TryDescribeEgress(TunnelEnds.Tunnel("vxlan"), 1, out _));
        }
        finally
        {
            made.ForEach(device => device.Driver.Dispose());
        }

        Errno Make(string name, VportType type, ushort? port = null)
        {
            (Errno errno, VportDevice? device) = space.Call(() => (factory.TryCreate(new VportRequest(name, type) { DestinationPort = port }, out VportDevice? device), device));
            if (device is not null)
            {
                made.Add(device);
            }

            return errno;
        }
    }

    // UDP to port 7 without a checksum.
    private static byte[] InnerFrame(int length)
    {
        const int Ip = 14, Udp = 34;
        byte[] frame = new byte[length];
        Convert.FromHexString("020000000002020000000001080045000000123400004011" + "0000" + "0a0000010a00000203e80007").CopyTo(frame, 0);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(Ip + 2), (ushort)(length - Ip));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(Ip + 10), (ushort)~ByteChecksum.Sum(frame.AsSpan(Ip, 20)));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(Udp + 4), (ushort)(length - Udp));
        return frame;
    }

    private static TunnelKey Tunnel(string kind, TunnelKeyFlags flags, bool isIpv6)
    {
        FlowKey key = TunnelEnds.Tunnel(kind, flags).Key;
        if (isIpv6)
        {
            key.TunnelProtocol = TunnelFamily.Ipv6;
            key.TunnelIpv4Destination = 0u;
            key.TunnelIpv6Destination = new Ipv6Address(Convert.FromHexString("20010db8009900000000000000000002"));
        }

        return new TunnelKey(in key);
    }

    private static TunnelEnds Open(NetworkNamespace space, string kind) => space.Call(() => TunnelEnds.OverSockets(kind));

    private static (FlowKey Key, byte[] Bytes) WaitFor(TunnelEnds ends)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (true)
        {
            List<(FlowKey Key, byte[] Bytes)> received = ends.ReceiveFromAll();
            if (received.Count != 0)
            {
                return Assert.Single(received);
            }

            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), "Nothing arrives.");
            Thread.Sleep(1);
        }
    }
}
