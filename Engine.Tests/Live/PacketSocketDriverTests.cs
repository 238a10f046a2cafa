namespace Engine.Tests.Live;

/// <summary>AF_PACKET on veth devices between two hosts.</summary>
public sealed class PacketSocketDriverTests
{
    [SkippableFact]
    public void Hosts_ping_each_other()
    {
        using TwoHosts hosts = new();
        using PacketSocketPair pair = new(hosts);
        Traffic.Ping(hosts.Left, 2);
        Traffic.Ping(hosts.Right, 1, size: 1400);
    }

    [SkippableTheory]
    [InlineData("10.77.0.2")]
    [InlineData("fd77::2")]
    public void A_stream_with_super_frames_arrives_whole(string address)
    {
        using TwoHosts hosts = new();
        using PacketSocketPair pair = new(hosts);
        Traffic.Tcp(hosts.Left, hosts.Right, address, 200 << 20);
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(1472)]
    [InlineData(9000)] // In fragments.
    public void Datagrams_come_back_as_they_were(int size)
    {
        using TwoHosts hosts = new();
        using PacketSocketPair pair = new(hosts);
        Traffic.Udp(hosts.Left, hosts.Right, "10.77.0.2", size, 200);
        Traffic.Udp(hosts.Right, hosts.Left, "fd77::1", size, 200);
    }
}
