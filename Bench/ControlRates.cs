using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Platform;
using Engine.Vports;

namespace Bench;

/// <summary>What the control server does in a second, over its socket as programs use it: flows set up, flows dumped, and forwarding beside clients that flood it.</summary>
/// <remarks><c>Bench -- control [FLOWS]</c>. Not by BenchmarkDotNet: two processes' worth of threads take part, and the flows stay.</remarks>
internal sealed class ControlRates : IDisposable
{
    // Open vSwitch sends up to 50 operations in one buffer.
    private const int OperationsAtOnce = 50;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"engine-bench-{Environment.ProcessId}.sock");
    private readonly ControlServer _server;
    private readonly SocketServer _sockets;
    private readonly byte[] _buffer = new byte[1 << 20];

    private ControlRates()
    {
        _server = new ControlServer(new ControlPorts(), new ControlServerOptions { Datapath = new DatapathOptions { WorkerCount = 2, CacheEntries = 4096 } });
        _sockets = new SocketServer(_server, _path);
    }

    /// <summary>Runs all measurements.</summary>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        int flows = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 200_000;
        using ControlRates rates = new();
        using SequencedSocket client = SequencedSocket.Connect(rates._path);
        rates.SetUp(client);
        for (int round = 0; round < 3; round++)
        {
            rates.MeasureSetUp(client, flows);
            rates.MeasureDump(client, flows, 0, "dump in full");
            rates.MeasureDump(client, flows, 7, "dump of ids and counters");
            rates.Flush(client);
        }

        ControlFlood.Run(rates._server, rates._path);
        return 0;
    }

    public void Dispose()
    {
        _sockets.Dispose();
        _server.Dispose();
    }

    private void SetUp(SequencedSocket client)
    {
        NetlinkWriter writer = new(_buffer);
        ControlRequests.Add(ref writer, ControlRequests.Datapaths, 1, NetlinkFlags.Ack, 0, static (ref writer) =>
        {
            writer.PutOvsDatapathName("dp0");
            writer.PutOvsDatapathUpcallPortId(0);
        });
        foreach (string name in (string[])["in", "out"])
        {
            ControlRequests.Add(ref writer, ControlRequests.Vports, 1, NetlinkFlags.Ack, ControlPorts.LocalIndex, (ref writer) =>
            {
                writer.PutOvsVportName(name);
                writer.PutOvsVportType((uint)VportType.Netdev);
                writer.PutOvsVportUpcallPortIds(new byte[4]);
            });
        }

        ControlRequests.Send(client, writer.Written);
        for (int answers = 0; answers < 3; answers++)
        {
            Expect(client, 0);
        }
    }

    // As ovs-vswitchd does: up to 50 operations in one buffer, none acknowledged but the last.
    private void MeasureSetUp(SequencedSocket client, int flows)
    {
        byte[][] buffers = [.. Enumerable.Range(0, (flows + OperationsAtOnce - 1) / OperationsAtOnce).Select(group => ControlRequests.MakeFlows(group * OperationsAtOnce, Math.Min(flows, (group + 1) * OperationsAtOnce)))];
        int collections = GC.CollectionCount(0);
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        long pause = GC.GetTotalPauseDuration().Ticks;
        long start = Stopwatch.GetTimestamp();
        foreach (byte[] buffer in buffers)
        {
            ControlRequests.Send(client, buffer);
        }

        Send(client, ControlRequests.Datapaths, 3, NetlinkFlags.Ack, null);
        while (!TryTakeAck(client))
        {
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
        int held = _server.CurrentDatapaths[0].Datapath.Flows.Count;
        Console.WriteLine($"set-up     {flows / seconds,12:N0} flows/s   {(double)bytes / flows,6:N0} bytes allocated a flow   {GC.CollectionCount(0) - collections} collections, "
            + $"{TimeSpan.FromTicks(GC.GetTotalPauseDuration().Ticks - pause).TotalMilliseconds:N1} ms of pauses   {held} flows");
    }

    private void MeasureDump(SequencedSocket client, int flows, uint omit, string what)
    {
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        long start = Stopwatch.GetTimestamp();
        Send(client, ControlRequests.Flows, 3, NetlinkFlags.Dump, (ref writer) => writer.PutOvsFlowUfidFlags(omit));
        long length = 0;
        int messages = 0;
        for (bool isDone = false; !isDone;)
        {
            int received = client.Receive(_buffer, out _);
            length += received;
            foreach (ReadOnlySpan<byte> message in new NetlinkMessages(_buffer.AsSpan(0, received)))
            {
                isDone = NetlinkMessages.HeaderOf(message).Type == NetlinkHeader.DoneType;
                messages++;
            }
        }

        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Console.WriteLine($"{what,-25} {milliseconds,8:N0} ms   {messages - 1} flows   {length / 1e6:N0} MB   {(double)(GC.GetTotalAllocatedBytes(precise: true) - bytes) / flows:N1} bytes allocated a flow");
    }

    private void Flush(SequencedSocket client)
    {
        Send(client, ControlRequests.Flows, 2, NetlinkFlags.Ack, null);
        Expect(client, 0);
    }

    private void Send(SequencedSocket client, ushort family, byte command, ushort flags, ControlRequests.PutAttributes? put)
    {
        NetlinkWriter writer = new(_buffer);
        ControlRequests.Add(ref writer, family, command, flags, ControlPorts.LocalIndex, put);
        ControlRequests.Send(client, writer.Written);
    }

    private void Expect(SequencedSocket client, int result)
    {
        client.Receive(_buffer, out _);
        if (MemoryMarshal.Read<ushort>(_buffer.AsSpan(4)) != NetlinkHeader.ErrorType || MemoryMarshal.Read<int>(_buffer.AsSpan(16)) != result)
        {
            throw new InvalidOperationException($"refused: {MemoryMarshal.Read<int>(_buffer.AsSpan(16))}");
        }
    }

    private bool TryTakeAck(SequencedSocket client)
    {
        client.Receive(_buffer, out _);
        return MemoryMarshal.Read<ushort>(_buffer.AsSpan(4)) == NetlinkHeader.ErrorType && MemoryMarshal.Read<int>(_buffer.AsSpan(16)) == 0;
    }
}
