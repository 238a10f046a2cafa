using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Engine.Meters;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Control;

/// <summary><c>ovs_meter</c>: sets, tells and removes meters. Answers always, and notifies nobody, as the kernel.</summary>
internal sealed class MeterFamily(ControlServer server, ushort id) : ControlFamily(id, "ovs_meter", 1, sizeof(int), OvsMeterAttributes.Policies)
{
    private const byte Features = 1, Set = 2, Delete = 3, Get = 4;

    /// <inheritdoc/>
    public override ImmutableArray<ControlOperation> Operations { get; } =
        [ControlOperation.Open(Features), ControlOperation.Restricted(Set), ControlOperation.Open(Get), ControlOperation.Restricted(Delete)];

    /// <inheritdoc/>
    public override Errno Do(in ControlRequest request, ref ExtendedAck ack)
    {
        Errno errno = OvsMeterAttributes.TryParse(request.Attributes, request.AttributesOffset, ref ack, out OvsMeterAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        byte command = request.Generic.Command;
        if (command != Features && !attributes.HasId)
        {
            return Errno.InvalidArgument;
        }

        Meter? wanted = null;
        if (command == Set)
        {
            errno = TryRead(in attributes, out wanted);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        if (server.Datapaths.Find(request.Ifindex) is not { } datapath)
        {
            return Errno.NoDevice;
        }

        NetlinkWriter writer = server.BeginReply();
        int start = request.Answer.Begin(ref writer, command, request.Ifindex);
        errno = command switch
        {
            Features => WriteFeatures(ref writer),
            Set => Put(ref writer, datapath.Datapath.Meters, wanted!),
            Get => Tell(ref writer, datapath.Datapath.Meters.Find(attributes.Id)),
            _ => Remove(ref writer, datapath.Datapath.Meters, attributes.Id),
        };
        if (errno == Errno.None)
        {
            writer.EndMessage(start);
            request.Client.Send(writer.Written);
        }

        return errno;
    }

    // The kernel's dp_meter_create.
    private static Errno TryRead(in OvsMeterAttributes attributes, out Meter? meter)
    {
        meter = null;
        if (!attributes.HasBands)
        {
            return Errno.InvalidArgument;
        }

        List<MeterBand> bands = [];
        foreach (NetlinkAttribute nested in new NetlinkAttributes(attributes.Bands))
        {
            if (bands.Count == MeterTable.MaximumBands)
            {
                return Errno.InvalidArgument;
            }

            ExtendedAck ignored = default;
            Errno errno = OvsBandAttributes.TryParse(nested.Payload, 0, ref ignored, out OvsBandAttributes band);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (!band.HasType || !band.HasRate || !band.HasBurst || band.Rate == 0)
            {
                return Errno.InvalidArgument;
            }

            bands.Add(new MeterBand(band.Type, band.Rate, band.Burst));
        }

        MeterStats stats = attributes.HasStats ? MemoryMarshal.Read<MeterStats>(attributes.Stats) : default;
        meter = new Meter(attributes.Id, attributes.Kbps, !attributes.Clear, stats, [.. bands], Environment.TickCount64);
        return Errno.None;
    }

    private static Errno WriteFeatures(ref NetlinkWriter writer)
    {
        writer.PutOvsMeterMaximumMeters(MeterTable.MaximumCount);
        writer.PutOvsMeterMaximumBands(MeterTable.MaximumBands);
        int list = writer.BeginOvsMeterBands();
        int band = writer.BeginNested(0);
        writer.PutOvsBandType(MeterBand.Drop);
        writer.EndNested(band);
        writer.EndNested(list);
        return Errno.None;
    }

    // The answer carries what the meter that was replaced had counted, and its number once more.
    private static Errno Put(ref NetlinkWriter writer, MeterTable meters, Meter meter)
    {
        Errno errno = meters.Put(meter, out Meter? replaced);
        if (errno == Errno.None)
        {
            writer.PutOvsMeterId(meter.Id);
            if (replaced is { KeepsStats: true })
            {
                Write(ref writer, replaced);
            }
        }

        return errno;
    }

    private static Errno Tell(ref NetlinkWriter writer, Meter? meter)
    {
        if (meter is null)
        {
            return Errno.NoEntry;
        }

        Write(ref writer, meter);
        return Errno.None;
    }

    private static Errno Remove(ref NetlinkWriter writer, MeterTable meters, uint id)
    {
        if (meters.Remove(id) is { } meter)
        {
            Write(ref writer, meter);
        }

        return Errno.None;
    }

    // The kernel's ovs_meter_cmd_reply_stats.
    private static void Write(ref NetlinkWriter writer, Meter meter)
    {
        MeterStats stats = meter.Stats;
        writer.PutOvsMeterId(meter.Id);
        writer.PutOvsMeterStats(MemoryMarshal.AsBytes(new ReadOnlySpan<MeterStats>(in stats)));
        writer.PutOvsMeterUsed((ulong)meter.UsedAtMs);
        int list = writer.BeginOvsMeterBands();
        foreach (MeterBand band in meter.Bands)
        {
            stats = band.Stats;
            int nested = writer.BeginNested(0);
            writer.PutOvsBandStats(MemoryMarshal.AsBytes(new ReadOnlySpan<MeterStats>(in stats)));
            writer.EndNested(nested);
        }

        writer.EndNested(list);
    }
}
