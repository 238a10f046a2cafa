using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Control;

/// <summary><c>ovs_ct_limit</c>: sets, tells and takes away the connection limits of conntrack zones. Answers always and never looks at the datapath, as the kernel.</summary>
internal sealed class ConntrackLimitFamily(ControlServer server, ushort id)
    : ControlFamily(id, "ovs_ct_limit", 1, sizeof(int), OvsConntrackLimitAttributes.Policies)
{
    private const byte Set = 1, Delete = 2, Get = 3;
    private const int EntrySize = 12;

    /// <inheritdoc/>
    public override ImmutableArray<ControlOperation> Operations { get; } =
        [ControlOperation.Restricted(Set), ControlOperation.Restricted(Delete), ControlOperation.Open(Get)];

    /// <inheritdoc/>
    public override Errno Do(in ControlRequest request, ref ExtendedAck ack)
    {
        Errno errno = OvsConntrackLimitAttributes.TryParse(request.Attributes, request.AttributesOffset, ref ack, out OvsConntrackLimitAttributes attributes);
        byte command = request.Generic.Command;
        if (errno == Errno.None && command != Get && !attributes.HasZoneLimit)
        {
            errno = Errno.InvalidArgument;
        }

        if (errno != Errno.None)
        {
            return errno;
        }

        NetlinkWriter writer = server.BeginReply();
        int start = request.Answer.Begin(ref writer, command, request.Ifindex);
        int list = command == Get ? writer.BeginOvsConntrackLimitZoneLimit() : -1;
        if (attributes.HasZoneLimit)
        {
            for (ReadOnlySpan<byte> rest = attributes.ZoneLimit; rest.Length >= EntrySize; rest = rest[EntrySize..])
            {
                DoOne(command, MemoryMarshal.Read<ZoneLimit>(rest), ref writer);
            }
        }
        else
        {
            foreach (ZoneLimit limit in server.ZoneLimits.All())
            {
                Put(ref writer, limit);
            }
        }

        if (list >= 0)
        {
            writer.EndNested(list);
        }

        writer.EndMessage(start);
        if (writer.Overflowed)
        {
            return Errno.MessageTooLong;
        }

        request.Client.Send(writer.Written);
        return Errno.None;
    }

    private void DoOne(byte command, ZoneLimit wanted, ref NetlinkWriter writer)
    {
        ZoneLimit found = default;
        bool exists = command switch
        {
            Set => server.ZoneLimits.TrySet(wanted.Zone, wanted.Limit),
            Delete => server.ZoneLimits.TryRemove(wanted.Zone),
            _ => server.ZoneLimits.TryGet(wanted.Zone, out found),
        };
        if (!exists)
        {
            server.Refuse(Refusal.Invalid("zone id is out of range"));
        }
        else if (command == Get)
        {
            Put(ref writer, found);
        }
    }

    private static void Put(ref NetlinkWriter writer, ZoneLimit limit) => writer.PutRaw(MemoryMarshal.AsBytes(new ReadOnlySpan<ZoneLimit>(in limit)));
}
