using System.Globalization;
using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Tests.Allocation;

namespace Engine.Tests.Flows;

/// <summary>The rules of the netlink key that the golden vectors show only in part. Attributes are written <c>Name=hex</c> or <c>Name(nested)</c>.</summary>
public sealed class FlowKeyNetlinkTests
{
    private const string Eth = "Ethernet=0200000000010200000000ff ";
    private const string EthMask = "Ethernet=ffffffffffffffffffffffff ";
    private const string Ip = Eth + "EtherType=0800 Ipv4=0a0000010a00000206004000 ";
    private const string Tcp = Ip + "Tcp=00501f90 TcpFlags=0002 ";
    private const string Ip6 = Eth + "EtherType=86dd Ipv6=" + Zero16 + Zero16 + "000000003a004000 ";
    private const string Zero16 = "00000000000000000000000000000000";
    private const string Ones16 = "ffffffffffffffffffffffffffffffff";
    private const string TunnelOk = "Tunnel(Ipv4Destination=0a000001 Ttl=40) ";

    [Theory]
    // Whole keys.
    [InlineData("", "neither eth nor eth_type")]
    [InlineData("InPort=01000000", "neither eth nor eth_type")]
    [InlineData(Eth + "EtherType=05ff", "less than 0x0600")]
    [InlineData("EtherType=0800", "lacks ipv4")]
    [InlineData(Eth + "EtherType=0806", "lacks arp")]
    [InlineData(Eth + "EtherType=8847", "lacks mpls")]
    [InlineData(Eth + "EtherType=894f", "lacks nsh")]
    [InlineData(Ip, "lacks tcp, tcp_flags")]
    [InlineData(Ip + "Tcp=00501f90", "lacks tcp_flags")]
    [InlineData(Ip6, "lacks icmpv6")]
    [InlineData(Ip6 + "Icmpv6=8700", "lacks nd")]
    [InlineData(Eth + "Unspecified= EtherType=9999", "unknown attribute")]
    [InlineData(Eth + "EtherType=9999 PacketType=00000000", "for user space only")]
    [InlineData(Eth + "EtherType=9999 33=00000000", "out of range")]
    [InlineData(Eth + Eth, "eth is there twice")]
    [InlineData("Ethernet=02", "has 1 bytes instead of 12")]
    // Values.
    [InlineData(Eth + "InPort=ffff0000", "exceeds the largest port")]
    [InlineData(Eth + "EtherType=0800 Ipv4=0a0000010a00000200004003", "ipv4 frag is out of range")]
    [InlineData(Eth + "EtherType=86dd Ipv6=" + Zero16 + Zero16 + "001000003b004000", "ipv6 label is out of range")]
    [InlineData(Eth + "EtherType=0806 Arp=0a0000010a0000020100000000000000000000000000" + "0000", "arp op is out of range")]
    [InlineData(Eth + "EtherType=9999 ConntrackState=00010000", "ct_state is out of range")]
    [InlineData(Eth + "EtherType=8847 Mpls=", "mpls has 0 bytes")]
    [InlineData(Eth + "EtherType=8847 Mpls=00000000000000000000000000000000", "mpls has 16 bytes")]
    [InlineData(Eth + "EtherType=8847 Mpls=000000", "mpls has 3 bytes")]
    // Tags.
    [InlineData(Eth + "Vlan=1001 EtherType=0800", "belongs to no VLAN frame")]
    [InlineData(Eth + "EtherType=8100", "lacks vlan or encap")]
    [InlineData(Eth + "EtherType=8100 Vlan=1001", "lacks vlan or encap")]
    [InlineData(Eth + "EtherType=8100 Vlan=0001 Encap()", "without the CFI bit")]
    [InlineData(Eth + "EtherType=8100 Vlan=0000 Encap(EtherType=9999)", "nonempty encap")]
    [InlineData(Eth + "EtherType=8100 Vlan=1001 Encap(EtherType=8100)", "lacks vlan or encap")]
    [InlineData(Eth + "EtherType=8100 Vlan=1001 Encap(EtherType=9999 Ethernet=0200000000010200000000ff)", "eth is there twice")]
    [InlineData(Eth + "EtherType=9999 Encap()", "encap where the kernel does not take it")]
    // Tunnels.
    [InlineData("Tunnel() " + Eth, "no destination address")]
    [InlineData("Tunnel(Ipv4Destination=0a000001) " + Eth, "no ttl")]
    [InlineData("Tunnel(Ipv4Destination=00000000 Ttl=40) " + Eth, "zero IPv4 destination")]
    [InlineData("Tunnel(Ipv6Destination=" + Zero16 + " Ttl=40) " + Eth, "zero IPv6 destination")]
    [InlineData("Tunnel(Ipv4Destination=0a000001 Ipv6Source=" + Ones16 + " Ttl=40) " + Eth, "both IPv4 and IPv6")]
    [InlineData("Tunnel(Ipv4Destination=0a000001 Ttl=4000) " + Eth, "has 2 bytes instead of 1")]
    [InlineData("Tunnel(Ipv4Destination=0a000001 Ttl=40 17=) " + Eth, "out of range")]
    [InlineData("Tunnel(Ipv4Destination=0a000001 Ttl=40 GeneveOptions=000000) " + Eth, "multiple of 4")]
    [InlineData("Tunnel(Ipv4Destination=0a000001 Ttl=40 GeneveOptions=00000000 VxlanOptions()) " + Eth, "more than one kind")]
    [InlineData("Tunnel(Ipv4Destination=0a000001 Ttl=40 VxlanOptions(2=00000000)) " + Eth, "unknown VXLAN extension")]
    [InlineData("Tunnel(Ipv4Destination=0a000001 Ttl=40 VxlanOptions(1=0000)) " + Eth, "instead of 4")]
    [InlineData("Tunnel(Ipv4InfoBridge= Ttl=40) " + Eth, "bridge mode")]
    // NSH.
    [InlineData(Eth + "EtherType=894f Nsh(1=00)", "has 1 bytes instead of 8")]
    [InlineData(Eth + "EtherType=894f Nsh(4=00)", "nsh attribute 4 is unknown")]
    [InlineData(Eth + "EtherType=894f Nsh(1=0000020300000000 3=00000000)", "metadata type 2")]
    [InlineData(Eth + "EtherType=894f Nsh(1=0000020300000000 2=" + Zero16 + ")", "mdtype 2")]
    public void A_key_that_the_kernel_refuses_is_refused_with_its_reason(string attributes, string reason)
    {
        Refusal refusal = FlowKey.TryParseNetlink(Attributes(attributes), out _);
        Assert.Equal(Errno.InvalidArgument, refusal.Errno);
        Assert.Contains(reason, refusal.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Tcp, "Tcp=ffffffff", "Mask has tcp")]
    [InlineData(Tcp, "EtherType=ffff Tcp=ffffffff", "Mask has tcp")]
    [InlineData(Tcp, "Ipv4=000000000000000000000000ff", "ipv4 has 13 bytes")]
    [InlineData(Tcp, "Ipv4=0000000000000000ff000000", "Mask has ipv4")]
    [InlineData(Tcp, "EtherType=ffff Ipv4=0000000000000000fe000000 Tcp=ffffffff", "Mask has tcp")]
    [InlineData(Tcp, "EtherType=ffff Udp=ffffffff", "Mask has udp")]
    [InlineData(Tcp, "Priority=ffffffff", "Mask has skb_priority")]
    [InlineData(Tcp, "EtherType=ffff Vlan=ffff Encap(EtherType=ffff)", "no VLAN tag")]
    [InlineData(Eth + "EtherType=8100 Vlan=1001 Encap(EtherType=9999)", "EtherType=fff0 Vlan=ffff Encap(EtherType=ffff)", "eth_type of a VLAN tag")]
    [InlineData(Eth + "EtherType=8100 Vlan=1001 Encap(EtherType=9999)", "EtherType=ffff Vlan=0fff Encap(EtherType=ffff)", "CFI bit")]
    [InlineData(TunnelOk + Eth, "Tunnel(GeneveOptions=ffffffff)", "Geneve options of 0 bytes but their mask has 4")]
    [InlineData("ConntrackState=01000000 " + Eth, "ConntrackState=ffffffff", "ct_state is out of range")]
    [InlineData(Ip6 + "Icmpv6=8700 NeighborDiscovery=" + Ones16 + "000000000000000000000000", "EtherType=ffff NeighborDiscovery=" + Ones16 + "000000000000000000000000", "Mask has nd")]
    public void A_mask_that_the_kernel_refuses_is_refused_with_its_reason(string key, string mask, string reason)
    {
        Assert.False(FlowKey.TryParseNetlink(Attributes(key), out _).IsRefused);
        Refusal refusal = FlowKey.TryParseNetlink(Attributes(key), Attributes(mask), out _, out _);
        Assert.Equal(Errno.InvalidArgument, refusal.Errno);
        Assert.Contains(reason, refusal.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Tcp)]
    [InlineData("RecirculationId=07000000 Priority=01000000 InPort=03000000 SkbMark=ffffffff " + Tcp)]
    [InlineData(TunnelOk + Tcp)]
    [InlineData("Tunnel(Id=0000000000000005 Ipv6Destination=" + Ones16 + " Tos=04 Ttl=40 DontFragment= Oam= GeneveOptions=0102800101020304) " + Tcp)]
    [InlineData("Tunnel(Ipv4Destination=0a000001 Ttl=40 VxlanOptions(1=00000200)) " + Tcp)]
    [InlineData("Tunnel(Ipv4Destination=0a000001 Ttl=40 ErspanOptions=020000000102030405060708) " + Tcp)]
    [InlineData("ConntrackState=21000000 ConntrackZone=0500 ConntrackMark=01000000 ConntrackLabels=" + Ones16 + " " + Tcp)]
    [InlineData("ConntrackOriginalIpv4=0a0000010a00000200501f9006000000 " + Tcp)]
    [InlineData(Eth + "EtherType=88a8 Vlan=1002 Encap(EtherType=8100 Vlan=7003 Encap(EtherType=0806 Arp=0a0000010a00000200010200000000010000000000000000))")]
    [InlineData(Eth + "EtherType=8847 Mpls=0001014000020240")]
    [InlineData(Eth + "EtherType=894f Nsh(1=04050103000102ff 2=" + Ones16 + ")")]
    [InlineData(Ip6 + "Icmpv6=8700 NeighborDiscovery=" + Ones16 + "020000000001000000000000")]
    [InlineData("EtherType=0800 Ipv4=0a0000010a00000211004000 Udp=00350035")]
    public void What_an_exact_match_is_installed_with_matches_every_attribute(string attributes)
    {
        byte[] bytes = Attributes(attributes);
        Refusal refusal = FlowKey.TryParseNetlinkExact(bytes, out FlowKey key, out FlowKey mask);
        Assert.False(refusal.IsRefused, refusal.ToString());
        Assert.Equal(key.FindSegments(), key.Segments);
        Assert.Equal(mask.FindSegments(), mask.Segments);

        // The key loses nothing under its mask.
        FlowKey.MaskedCopy(in key, in mask, out FlowKey masked);
        Assert.True(FlowKey.MaskedEquals(in key, in mask, in masked));
        string[] given = Types(bytes);
        string written = Convert.ToHexString(Written(in masked));
        Assert.All(given, attribute => Assert.Contains(attribute, written, StringComparison.Ordinal));

        // And the key, being complete where given, comes back the same.
        Assert.False(FlowKey.TryParseNetlink(Written(in masked), out FlowKey again).IsRefused);
        Assert.True(FlowKey.ExactEquals(in masked, in again));
    }

    [Fact]
    public void A_key_without_a_port_is_written_without_one()
    {
        Assert.False(FlowKey.TryParseNetlink(Attributes(Tcp), out FlowKey key).IsRefused);
        Assert.Equal(FlowKey.NoInPort, key.InPort);
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(Written(in key)))
        {
            Assert.NotEqual((int)OvsKeyAttribute.InPort, attribute.Type);
        }
    }

    [Fact]
    public void Metadata_of_an_execute_leaves_the_headers_alone()
    {
        Refusal refusal = FlowKey.TryParseMetadata(Attributes("InPort=02000000 SkbMark=05000000 " + Tcp), out FlowKey key, out ulong present);
        Assert.False(refusal.IsRefused);
        Assert.Equal((2u, 5u, (byte)1), (key.InPort, key.SkbMark, key.MacProtocol));
        Assert.Equal((0, 0), (key.EtherType.Value, key.IpProtocol));
        Assert.NotEqual(0UL, present & (1UL << (int)OvsKeyAttribute.Tcp));
    }

    [Fact]
    public void Metadata_without_an_ethernet_header_names_the_type()
    {
        Assert.False(FlowKey.TryParseMetadata(Attributes("EtherType=0800"), out FlowKey key, out _).IsRefused);
        Assert.Equal((0x0800, (byte)0, FlowKey.NoInPort), (key.EtherType.Value, key.MacProtocol, key.InPort));
    }

    [Theory]
    [InlineData("ConntrackOriginalIpv4=0a0000010a00000200501f9006000000", 0x0800, false)]
    [InlineData("ConntrackOriginalIpv4=0a0000010a00000200501f9006000000", 0x0806, true)]
    [InlineData("ConntrackOriginalIpv6=" + Ones16 + Ones16 + "00501f9006000000", 0x86dd, false)]
    [InlineData("ConntrackOriginalIpv6=" + Ones16 + Ones16 + "00501f9006000000", 0x0800, true)]
    public void A_conntrack_tuple_must_go_with_the_packet(string attributes, int etherType, bool isRefused)
    {
        Assert.False(FlowKey.TryParseMetadata(Attributes(attributes), out FlowKey key, out ulong present).IsRefused);
        key.EtherType = (ushort)etherType;
        Assert.Equal(isRefused, FlowKey.CheckMetadata(in key, present).IsRefused);
    }

    [Theory]
    [InlineData(OvsKeyAttribute.Ipv4, "0a0000010a00000206104000", FlowKeySegments.None)]
    [InlineData(OvsKeyAttribute.Ipv6, Ones16 + Ones16 + "000000ff06004000", FlowKeySegments.Ipv6)]
    [InlineData(OvsKeyAttribute.Mpls, "00010140", FlowKeySegments.Mpls)]
    [InlineData(OvsKeyAttribute.Nsh, "0c00010004050103000102ff", FlowKeySegments.Nsh)]
    [InlineData(OvsKeyAttribute.Tunnel, "080002000a0000010500040040000000", FlowKeySegments.Tunnel)]
    [InlineData(OvsKeyAttribute.ConntrackMark, "01000000", FlowKeySegments.Conntrack)]
    public void The_value_of_a_set_action_reaches_its_fields(OvsKeyAttribute attribute, string payload, FlowKeySegments segments)
    {
        FlowKey key = default;
        Refusal refusal = FlowKey.TryParseAttribute(attribute, Convert.FromHexString(payload), isMask: false, ref key);
        Assert.False(refusal.IsRefused, refusal.ToString());
        Assert.Equal(segments, key.Segments);
        Assert.NotEqual(0, MemoryMarshal.AsBytes(new ReadOnlySpan<FlowKey>(in key))[..FlowKey.MatchedSize].IndexOfAnyExcept((byte)0) + 1);
    }

    [Fact]
    public void The_value_of_a_set_action_of_the_wrong_length_is_refused()
    {
        FlowKey key = default;
        Assert.True(FlowKey.TryParseAttribute(OvsKeyAttribute.Ipv4, new byte[11], isMask: false, ref key).IsRefused);
        Assert.True(FlowKey.TryParseAttribute(OvsKeyAttribute.TunnelInfo, [], isMask: false, ref key).IsRefused);
        Assert.True(FlowKey.TryParseAttribute(OvsKeyAttribute.Encap, [], isMask: false, ref key).IsRefused);
    }

    [Fact]
    public void Reading_and_writing_allocate_nothing()
    {
        byte[] attributes = Attributes(TunnelOk + Tcp);
        byte[] buffer = new byte[1024];

        // The first rounds warm up the pool and the JIT.
        Translate();
        Assert.Equal(0, Allocated.ByThisThread(Translate));

        void Translate()
        {
            for (int round = 0; round < 10; round++)
            {
                bool isRefused = FlowKey.TryParseNetlinkExact(attributes, out FlowKey key, out FlowKey mask).IsRefused;
                NetlinkWriter writer = new(buffer);
                FlowKey.WriteNetlink(in key, ref writer);
                FlowKey.WriteNetlinkMask(in key, in mask, ref writer);
                if (isRefused || writer.Overflowed)
                {
                    Assert.Fail("The key is taken and fits.");
                }
            }
        }
    }

    [Fact]
    public void Every_schema_part_lies_in_its_field_and_payload()
    {
        Assert.Equal(29, FlowKeySchema.Attributes.Length);
        foreach (KeyAttributeSchema attribute in FlowKeySchema.Attributes)
        {
            Assert.All(attribute.Parts, part =>
            {
                Assert.InRange(part.FieldOffset + part.FieldSize, 1, FlowKey.MatchedSize);
                Assert.InRange(part.Shift + part.Bits, 1, part.FieldSize * 8);
                if (!attribute.IsNested && !attribute.IsArray)
                {
                    Assert.InRange(part.PayloadOffset + part.PayloadSize, 1, attribute.Size);
                }
            });
        }
    }

    private static byte[] Written(in FlowKey key)
    {
        byte[] buffer = new byte[2048];
        Array.Fill(buffer, (byte)0xa5);
        NetlinkWriter writer = new(buffer);
        FlowKey.WriteNetlink(in key, ref writer);
        return writer.Written.ToArray();
    }

    // Every attribute of the outermost level that has a payload without attributes, header included.
    private static string[] Types(byte[] bytes)
    {
        List<string> types = [];
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(bytes))
        {
            if ((OvsKeyAttribute)attribute.Type is not (OvsKeyAttribute.Tunnel or OvsKeyAttribute.Encap or OvsKeyAttribute.Nsh))
            {
                types.Add(Convert.ToHexString(bytes.AsSpan(attribute.Offset, NetlinkAttribute.HeaderSize + attribute.Payload.Length)));
            }
        }

        return [.. types];
    }

    private static byte[] Attributes(string text)
    {
        byte[] buffer = new byte[2048];
        NetlinkWriter writer = new(buffer);
        int position = 0;
        Write(text, ref position, typeof(OvsKeyAttribute), ref writer);
        return writer.Written.ToArray();
    }

    private static void Write(string text, ref int position, Type names, ref NetlinkWriter writer)
    {
        while (position < text.Length && text[position] != ')')
        {
            if (text[position] == ' ')
            {
                position++;
                continue;
            }

            int end = text.IndexOfAny(['=', '('], position);
            string name = text[position..end];
            int type = int.TryParse(name, CultureInfo.InvariantCulture, out int number) ? number : Convert.ToInt32(Enum.Parse(names, name), CultureInfo.InvariantCulture);
            position = end + 1;
            if (text[end] == '=')
            {
                int last = text.AsSpan(position).IndexOfAny(' ', ')') is >= 0 and int length ? position + length : text.Length;
                writer.Put(type, Convert.FromHexString(text[position..last]));
                position = last;
                continue;
            }

            int nested = writer.BeginNested(type);
            Write(text, ref position, name == "Tunnel" ? typeof(OvsTunnelKeyAttribute) : names, ref writer);
            writer.EndNested(nested);
            position++;
        }
    }
}
