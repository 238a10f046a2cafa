using System.Runtime.InteropServices;
using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Platform;
using Engine.Tests.Conformance;
using Engine.Tests.Live;

namespace Engine.Tests.Control;

/// <summary>The Unix socket of the server: many clients, clients that go, and who may open it.</summary>
public sealed class SocketServerTests : IDisposable
{
    private const int FirstDatapath = 4;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"engine-{Environment.ProcessId}-{Guid.NewGuid():N}.sock");
    private readonly MemoryNetwork _network = new();
    private readonly ControlServer _server;
    private readonly SocketServer _sockets;

    public SocketServerTests()
    {
        _network.Run("ip link add p1 type veth peer name p1x");
        _server = new ControlServer(_network, new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 64, CacheEntries = 0, UpcallCapacity = 8 } });
        _sockets = new SocketServer(_server, _path);
    }

    public void Dispose()
    {
        _sockets.Dispose();
        _server.Dispose();
    }

    [Fact]
    public void Only_owner_and_group_may_open_it() =>
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
            OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(_path));

    [Fact]
    public void A_thousand_clients_are_served_at_once_and_forgotten_when_they_go()
    {
        SequencedSocket[] clients = [.. Enumerable.Range(0, 1000).Select(_ => SequencedSocket.Connect(_path))];
        try
        {
            byte[] request = new RequestBuilder().Add(RequestBuilder.Datapath, 3, NetlinkFlags.Dump, 0).Bytes;
            foreach (SequencedSocket client in clients)
            {
                Assert.True(client.TrySend(request));
            }

            byte[] answer = new byte[1024];
            Assert.All(clients, client =>
            {
                Assert.Equal(20, client.Receive(answer, out _));
                Assert.Equal(NetlinkHeader.DoneType, BitConverter.ToUInt16(answer, 4));
            });
            Assert.Equal(1000, _sockets.ClientCount);
        }
        finally
        {
            foreach (SequencedSocket client in clients)
            {
                client.Dispose();
            }
        }

        Eventually.IsSo(() => _sockets.ClientCount == 0, () => $"{_sockets.ClientCount} clients are left");
    }

    [Fact]
    public void A_client_that_closes_in_the_middle_of_its_dump_leaves_nothing_behind()
    {
        // Ports are made by a client in this process: one by the socket may not, where the tests run without rights.
        MemoryClient maker = new(300);
        _server.TryAdd(maker);
        RequestBuilder setUp = new RequestBuilder().NewDatapath("dp0");
        for (int i = 0; i < 600; i++)
        {
            setUp.NewVport(FirstDatapath, $"in{i}", 2, flags: 0);
        }

        _server.Handle(maker, setUp.Bytes);
        using SequencedSocket other = SequencedSocket.Connect(_path);
        byte[] buffer = new byte[1 << 16];
        byte[] dump = new RequestBuilder().Add(RequestBuilder.Vport, 3, NetlinkFlags.Dump, FirstDatapath).Bytes;
        for (int i = 0; i < 50; i++)
        {
            using SequencedSocket client = SequencedSocket.Connect(_path);
            Assert.True(client.TrySend(dump));
            Assert.True(client.Receive(buffer, out _) > 0);
        }

        Eventually.IsSo(() => _sockets.ClientCount == 1, () => $"{_sockets.ClientCount} clients are left");
        Assert.True(other.TrySend(new RequestBuilder().Add(RequestBuilder.Vport, 3, NetlinkFlags.Ack, FirstDatapath, static (ref writer) => writer.PutOvsVportName("in7")).Bytes));
        Assert.True(other.Receive(buffer, out _) > 0);
        Assert.Equal(RequestBuilder.Vport, MemoryMarshal.Read<ushort>(buffer.AsSpan(4)));
    }

    [Fact]
    public async Task A_server_that_is_stuck_with_a_client_does_not_hold_the_workers_up()
    {
        using ManualResetEventSlim isStuck = new(), mayGoOn = new();
        StuckClient stuck = new(isStuck, mayGoOn);
        MemoryClient upcalls = new(300);
        _server.TryAdd(stuck);
        _server.TryAdd(upcalls);
        _server.Handle(upcalls, new RequestBuilder().NewDatapath("dp0", 300).NewVport(FirstDatapath, "p1", 1, 300).Bytes);
        upcalls.TakeMessages();
        Datapath datapath = _server.CurrentDatapaths.Single().Datapath;

        // The server is in the middle of a request, with all it locks, until the packet has gone through.
        Task request = Task.Run(() => _server.Handle(stuck, new RequestBuilder().Add(RequestBuilder.Datapath, 3, NetlinkFlags.Ack, FirstDatapath).Bytes));
        Assert.True(isStuck.Wait(TimeSpan.FromSeconds(20)));
        Task packet = Task.Run(() =>
        {
            Assert.True(_network.DriverBehind("p1x")!.TryPut(Convert.FromHexString("0200000000020200000000010800450000140000000040110000")));
            datapath.Workers[0].Poll(datapath.Vports.Find("p1")!);
        });
        bool isThrough = packet == await Task.WhenAny(packet, Task.Delay(TimeSpan.FromSeconds(20)));
        mayGoOn.Set();
        await request;
        Assert.True(isThrough, "the worker waited for the server");
        await packet;
        Assert.Single(upcalls.TakeMessages());
    }

    private sealed class StuckClient(ManualResetEventSlim isStuck, ManualResetEventSlim mayGoOn) : ControlClient(301)
    {
        protected override bool TrySend(ReadOnlySpan<byte> datagram)
        {
            isStuck.Set();
            mayGoOn.Wait();
            return true;
        }
    }
}
