using System.Collections.Immutable;
using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Tests.Conformance;
using Engine.Vports;

namespace Engine.Tests.Control;

/// <summary>What workers may still do with a port that is being removed: they are in a round that began before.</summary>
public sealed class LastRoundTests : IVportRunner, IDisposable
{
    private static readonly byte[] Frame = Convert.FromHexString("0200000000020200000000010800450000140000000040110000");

    private readonly MemoryNetwork _network = new();
    private readonly ControlServer _server;
    private readonly MemoryClient _client = new(100);
    private readonly LoopbackDriver _ring = new(4096);
    private int _rounds;

    public LastRoundTests()
    {
        _network.Run("ip link add p1 type veth peer name p1x");
        _server = new ControlServer(_network, new ControlServerOptions
        {
            Datapath = new DatapathOptions { FrameCount = 64, CacheEntries = 0, UpcallCapacity = 8 },
            Runner = this,
        });
        Assert.True(_server.TryAdd(_client));
    }

    int IVportRunner.WorkerCount => 1;

    double IVportRunner.LoadOf(int worker) => 0;

    ImmutableArray<WorkerStats> IVportRunner.ReadStats() => [];

    void IVportRunner.Start(ControlledVport port)
    {
    }

    // The port is out of its table, and a worker that has found it there before has a packet of it.
    void IVportRunner.Stop(ControlledVport port)
    {
        Assert.True(_ring.TryPut(Frame));
        _rounds += port.Datapath.Datapath.Workers[0].Poll(port.Vport, _ring);
    }

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_miss_of_the_local_port_finds_its_datapath_while_that_is_removed(bool byProcessor)
    {
        RequestBuilder requests = new RequestBuilder().NewDatapath("dp0", _client.PortId);
        if (byProcessor)
        {
            requests.Add(RequestBuilder.Datapath, 4, 0, 4, static (ref writer) =>
            {
                writer.PutOvsDatapathUserFeatures((uint)DatapathFeatures.PerProcessorUpcalls);
                writer.PutOvsDatapathPerProcessorPortIds([100, 0, 0, 0]);
            });
        }

        _server.Handle(_client, requests.Add(RequestBuilder.Datapath, 2, 0, 4).Bytes);
        Assert.Equal(1, _rounds);
        Assert.Empty(_server.CurrentDatapaths);
        Assert.Contains(_client.TakeMessages(), static message => BitConverter.ToUInt16(message, 4) == RequestBuilder.Packet);
    }
}
