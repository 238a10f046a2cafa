using System.Collections.Immutable;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Control;

/// <summary><c>engine</c>: what the kernel's families have no place for, for <c>engine dpctl</c>: how ports are driven, what workers do.</summary>
internal sealed class EngineFamily(ControlServer server, ushort id) : ControlFamily(id, Name, 1, sizeof(int), EngineAttributes.Policies)
{
    /// <summary>The name of the family.</summary>
    public new const string Name = "engine";

    /// <summary>Lists the ports of a datapath whose devices are driven in a way that was chosen.</summary>
    public const byte GetPorts = 1;

    /// <summary>Lists the workers.</summary>
    public const byte GetWorkers = 2;

    /// <inheritdoc/>
    public override ImmutableArray<ControlOperation> Operations { get; } =
        [new ControlOperation(GetPorts, false, false, true), new ControlOperation(GetWorkers, false, false, true)];

    /// <inheritdoc/>
    public override Errno Do(in ControlRequest request, ref ExtendedAck ack) => Errno.NotSupported;

    /// <inheritdoc/>
    public override Errno StartDump(in ControlRequest request, ref ExtendedAck ack, out ControlDump? dump)
    {
        if (request.Generic.Command == GetWorkers)
        {
            dump = new ListDump<WorkerStats>(request.Answer, server.Options.Runner?.ReadStats() ?? [], WriteWorker);
            return Errno.None;
        }

        ControlledDatapath? datapath = server.Datapaths.Find(request.Ifindex);
        dump = new ListDump<ControlledVport>(request.Answer, [.. datapath?.ListPorts().Where(static port => port.Device.Choice is not null) ?? []], WritePort)
        {
            Result = datapath is null ? Errno.NoDevice : Errno.None,
        };
        return Errno.None;
    }

    private static void WritePort(ref NetlinkWriter writer, MessageTarget target, ControlledVport port, ushort flags)
    {
        int start = target.Begin(ref writer, GetPorts, port.Datapath.Ifindex, flags);
        writer.PutEnginePortNumber(port.Vport.Number);
        writer.PutEngineDriver(port.Device.Choice!.ToString());
        if (port.Device.Choice.Reason is { } reason)
        {
            writer.PutEngineReason(reason);
        }

        writer.EndMessage(start);
    }

    private static void WriteWorker(ref NetlinkWriter writer, MessageTarget target, WorkerStats worker, ushort flags)
    {
        int start = target.Begin(ref writer, GetWorkers, 0, flags);
        writer.PutEngineWorker((uint)worker.Index);
        if (worker.Core is { } core)
        {
            writer.PutEngineCore((uint)core);
        }

        writer.PutEngineRingCount((uint)worker.RingCount);
        writer.PutEngineBusyCycles(worker.BusyCycles);
        writer.PutEngineIdleCycles(worker.IdleCycles);
        writer.PutEngineRounds(worker.Rounds);
        writer.PutEngineSleeps(worker.Sleeps);
        writer.PutEngineBatches(worker.Batches);
        writer.PutEnginePackets(worker.Packets);
        writer.PutEngineMisses(worker.Misses);
        writer.PutEngineUpcalls(worker.Upcalls);
        writer.PutEngineLongestRoundNs((ulong)worker.Pauses.LongestNs);
        writer.PutEngineUsualRoundNs((ulong)worker.Pauses.Percentile(0.999));
        writer.EndMessage(start);
    }
}
