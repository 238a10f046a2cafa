using Bench.Live;
using Engine.Control;
using Engine.Datapaths;
using Engine.Packets;
using Engine.Primitives;
using Engine.Tests.Allocation;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>A whole engine in this process, flooded: nothing is allocated for packets, by any thread.</summary>
[Collection(AloneCollection.Name)]
public sealed class SwitchedAllocationTests
{
    [SkippableTheory]
    [InlineData(NetdevDriverKind.Packet)]
    [InlineData(NetdevDriverKind.Uring)]
    [InlineData(NetdevDriverKind.Xdp)]
    public void Nothing_is_allocated_for_a_packet(NetdevDriverKind driver)
    {
        // What the test itself and the runtime's own threads may allocate meanwhile, whatever the number of packets.
        const long BytesAllowed = 16 * 1024;
        const ulong PacketsWanted = 10_000;
        using TwoHosts hosts = new();
        using VportRunner runner = hosts.Switch.Call(static () => new VportRunner());
        using ControlServer server = new(new HostVportFactory(), new ControlServerOptions
        {
            Runner = runner,
            Datapath = new DatapathOptions { FrameSize = PacketPool.XdpFrameSize },
        });
        using ControlConnection connection = ControlConnection.To(server);
        hosts.Switch.Call(() =>
        {
            DatapathClient client = new(connection);
            Assert.Equal(Errno.None, client.AddDatapath("dp0"));
            Assert.Equal(Errno.None, client.FindDatapath("dp0", out DatapathEntry? datapath));
            VportOptions options = new() { Driver = driver };
            Assert.Equal(Errno.None, client.AddVport(datapath!.Ifindex, new VportRequest("left", VportType.Netdev) { Options = options }, 1));
            Assert.Equal(Errno.None, client.AddVport(datapath.Ifindex, new VportRequest("right", VportType.Netdev) { Options = options }, 2));
            return 0;
        });
        Assert.True(Engine.Text.FlowFile.TryParse("flows", "in_port(1),eth() 2\nin_port(2),eth() 1", out IReadOnlyList<Engine.Text.FlowLine> lines, out _));
        foreach (Engine.Text.FlowLine line in lines)
        {
            Assert.Null(line.Install(server.CurrentDatapaths[0].Datapath.Flows, out _));
        }

        using FloodSender flood = hosts.Left.Call(static () => new FloodSender(0));
        Thread.Sleep(800);
        Assert.InRange(Allocated.Least(MeasureWindow, attempts: 5, enough: BytesAllowed), 0, BytesAllowed);

        long MeasureWindow()
        {
            ulong packets = runner.ReadStats()[0].Packets;
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Thread.Sleep(600);
            Eventually.IsSo(() => runner.ReadStats()[0].Packets - packets > PacketsWanted, "enough packets");
            return GC.GetTotalAllocatedBytes(precise: true) - before;
        }
    }
}
