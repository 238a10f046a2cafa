using System.Globalization;
using System.Runtime.InteropServices;
using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Platform;
using Engine.Vports;

namespace Bench;

/// <summary>What the control server does in a second, over its socket as programs use it: flows set up, flows dumped, and forwarding beside clients that flood it.</summary>
/// <remarks><c>Bench -- control [FLOWS]</c>; <c>Bench -- control --socket PATH [FLOWS]</c> for an engine that runs. Not by BenchmarkDotNet: two processes' worth of threads take part, and the flows stay.</remarks>
internal sealed class ControlRates : IDisposable
{
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
        if (arguments is ["--socket", var path, ..])
        {
            return ControlDumps.Run(path, arguments.Length > 2 ? int.Parse(arguments[2], CultureInfo.InvariantCulture) : 200_000);
        }

        int flows = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 200_000;
        using ControlRates rates = new();
        using SequencedSocket client = SequencedSocket.Connect(rates._path);
        rates.SetUp(client);
        ControlDumps dumps = new(client, ControlPorts.LocalIndex);
        for (int round = 0; round < 3; round++)
        {
            rates.MeasureSetUp(dumps, flows);
            MeasureDump(dumps, isInFull: true);
            MeasureDump(dumps, isInFull: false);
            dumps.Flush();
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

    private void MeasureSetUp(ControlDumps dumps, int flows)
    {
        byte[][] requests = dumps.MakeRequests(flows);
        int collections = GC.CollectionCount(0);
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        long pause = GC.GetTotalPauseDuration().Ticks;
        double seconds = dumps.SetUp(requests);
        bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
        int held = _server.CurrentDatapaths[0].Datapath.Flows.Count;
        Console.WriteLine($"set-up     {flows / seconds,12:N0} flows/s   {(double)bytes / flows,6:N0} bytes allocated a flow   {GC.CollectionCount(0) - collections} collections, "
            + $"{TimeSpan.FromTicks(GC.GetTotalPauseDuration().Ticks - pause).TotalMilliseconds:N1} ms of pauses   {held} flows");
    }

    private static void MeasureDump(ControlDumps dumps, bool isInFull)
    {
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        dumps.Dump(isInFull);
        Console.WriteLine($"{"",28} {GC.GetTotalAllocatedBytes(precise: true) - bytes:N0} bytes allocated");
    }

    private void Expect(SequencedSocket client, int result)
    {
        client.Receive(_buffer, out _);
        if (MemoryMarshal.Read<ushort>(_buffer.AsSpan(4)) != NetlinkHeader.ErrorType || MemoryMarshal.Read<int>(_buffer.AsSpan(16)) != result)
        {
            throw new InvalidOperationException($"refused: {MemoryMarshal.Read<int>(_buffer.AsSpan(16))}");
        }
    }
}
