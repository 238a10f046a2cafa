using System.Diagnostics;
using System.Runtime.InteropServices;
using Engine.Control;
using Engine.Netlink;
using Engine.Platform;
using Engine.Primitives;

namespace Bench;

/// <summary>Flows set up and dumped over the socket of an engine, as a program does it.</summary>
/// <param name="client">The socket.</param>
/// <param name="ifindex">Its datapath.</param>
internal sealed class ControlDumps(SequencedSocket client, int ifindex)
{
    // Open vSwitch sends up to 50 operations in one buffer.
    private const int OperationsAtOnce = 50;

    // OVS_UFID_F_OMIT_*: ids and counters are left.
    private const uint OmitAll = 7;

    private readonly byte[] _buffer = new byte[1 << 20];

    /// <summary>Measures an engine that runs as a program of its own: its first dumps, then more. The flows stay.</summary>
    /// <param name="path">Its socket. The flows go to its first datapath.</param>
    /// <param name="flows">How many.</param>
    public static int Run(string path, int flows)
    {
        int ifindex;
        using (ControlConnection connection = ControlConnection.Open(path))
        {
            Errno errno = new DatapathClient(connection).ListDatapaths(out List<DatapathEntry> datapaths);
            if (errno != Errno.None || datapaths.Count == 0)
            {
                Console.Error.WriteLine($"{path}: no datapath");
                return 1;
            }

            ifindex = datapaths[0].Ifindex;
        }

        using SequencedSocket client = SequencedSocket.Connect(path);
        ControlDumps dumps = new(client, ifindex);
        Console.WriteLine($"set-up     {flows / dumps.SetUp(dumps.MakeRequests(flows)),12:N0} flows/s");
        for (int round = 0; round < 5; round++)
        {
            dumps.Dump(isInFull: true);
        }

        dumps.Dump(isInFull: false);
        return 0;
    }

    /// <summary>The requests for flows as ovs-vswitchd makes them: up to 50 operations in one buffer, none acknowledged.</summary>
    public byte[][] MakeRequests(int flows) => [.. Enumerable.Range(0, (flows + OperationsAtOnce - 1) / OperationsAtOnce)
        .Select(group => ControlRequests.MakeFlows(group * OperationsAtOnce, Math.Min(flows, (group + 1) * OperationsAtOnce), ifindex))];

    /// <summary>Adds the flows of <see cref="MakeRequests"/>.</summary>
    /// <returns>Seconds until the last is there.</returns>
    public double SetUp(byte[][] requests)
    {
        long start = Stopwatch.GetTimestamp();
        foreach (byte[] buffer in requests)
        {
            ControlRequests.Send(client, buffer);
        }

        Send(ControlRequests.Datapaths, 3, NetlinkFlags.Ack, null);
        while (!TryTakeAck())
        {
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Dumps all flows and tells how long it took.</summary>
    public void Dump(bool isInFull)
    {
        long start = Stopwatch.GetTimestamp();
        Send(ControlRequests.Flows, 3, NetlinkFlags.Dump, isInFull ? null : static (ref writer) => writer.PutOvsFlowUfidFlags(OmitAll));
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
        Console.WriteLine($"{(isInFull ? "dump in full" : "dump of ids and counters"),-25} {milliseconds,8:N0} ms   {messages - 1} flows   {length / 1e6:N0} MB");
    }

    /// <summary>Removes all flows.</summary>
    public void Flush()
    {
        Send(ControlRequests.Flows, 2, NetlinkFlags.Ack, null);
        if (!TryTakeAck())
        {
            throw new InvalidOperationException("Flows are not flushed.");
        }
    }

    private void Send(ushort family, byte command, ushort flags, ControlRequests.PutAttributes? put)
    {
        NetlinkWriter writer = new(_buffer);
        ControlRequests.Add(ref writer, family, command, flags, ifindex, put);
        ControlRequests.Send(client, writer.Written);
    }

    private bool TryTakeAck()
    {
        client.Receive(_buffer, out _);
        return MemoryMarshal.Read<ushort>(_buffer.AsSpan(4)) == NetlinkHeader.ErrorType && MemoryMarshal.Read<int>(_buffer.AsSpan(16)) == 0;
    }
}
