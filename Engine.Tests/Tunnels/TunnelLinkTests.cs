using Engine.Netlink;
using Engine.Tunnels;
using Engine.Vports;

namespace Engine.Tests.Tunnels;

/// <summary>Which devices of the host are tunnels to be taken over, from what rtnetlink says of them.</summary>
public sealed class TunnelLinkTests
{
    [Fact]
    public void Devices_that_take_their_tunnel_from_each_packet_are_recognised()
    {
        Assert.Equal(new TunnelLink(VportType.Vxlan, 4789), TunnelLink.Parse(Link("vxlan", (25, [1]), (15, [0x12, 0xb5]))));
        Assert.Equal(
            new TunnelLink(VportType.Vxlan, 4790) { HasGroupPolicy = true, IsGeneric = true },
            TunnelLink.Parse(Link("vxlan", (25, [1]), (15, [0x12, 0xb6]), (23, []), (27, []))));
        Assert.Equal(new TunnelLink(VportType.Geneve, 6081), TunnelLink.Parse(Link("geneve", (6, []), (5, [0x17, 0xc1]))));
        Assert.Equal(new TunnelLink(VportType.Gre, 0), TunnelLink.Parse(Link("gretap", (18, []))));
    }

    [Fact]
    public void Other_devices_are_not()
    {
        Assert.Null(TunnelLink.Parse(Link("vxlan", (25, [0]), (15, [0x12, 0xb5]))));
        Assert.Null(TunnelLink.Parse(Link("vxlan", (1, [5, 0, 0, 0]))));
        Assert.Null(TunnelLink.Parse(Link("geneve", (5, [0x17, 0xc1]))));
        Assert.Null(TunnelLink.Parse(Link("veth")));
        byte[] message = Link("vxlan", (25, [1]));
        for (int length = 0; length < message.Length; length++)
        {
            _ = TunnelLink.Parse(message.AsSpan(0, length));
        }
    }

    private static byte[] Link(string kind, params (int Type, byte[] Value)[] data)
    {
        const ushort NewLink = 16;
        NetlinkWriter writer = new(new byte[512]);
        int start = writer.BeginMessage(new NetlinkHeader { Type = NewLink });
        writer.PutRaw(new byte[16]);
        writer.PutString(3, "tunnel0");
        int information = writer.BeginNested(18);
        writer.PutString(1, kind);
        int attributes = writer.BeginNested(2);
        foreach ((int type, byte[] value) in data)
        {
            writer.Put(type, value);
        }

        writer.EndNested(attributes);
        writer.EndNested(information);
        writer.EndMessage(start);
        return writer.Written.ToArray();
    }
}
