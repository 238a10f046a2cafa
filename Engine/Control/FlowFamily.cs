using System.Collections.Immutable;
using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Control;

/// <summary><c>ovs_flow</c>: adds, changes, removes, finds and lists flows.</summary>
internal sealed class FlowFamily(ControlServer server, ushort id) : ControlFamily(id, "ovs_flow", 1, sizeof(int), OvsFlowAttributes.Policies)
{
    private const byte New = 1, Delete = 2, Get = 3, Set = 4;

    private readonly FlowMessage _message = new();

    /// <inheritdoc/>
    public override ImmutableArray<ControlOperation> Operations { get; } =
        [ControlOperation.Restricted(New), ControlOperation.Restricted(Delete), ControlOperation.Open(Get, canDump: true), ControlOperation.Restricted(Set)];

    /// <inheritdoc/>
    public override bool LetsPacketsWait => true;

    /// <inheritdoc/>
    public override Errno Do(in ControlRequest request, ref ExtendedAck ack)
    {
        Errno errno = OvsFlowAttributes.TryParse(request.Attributes, request.AttributesOffset, ref ack, out OvsFlowAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        return request.Generic.Command switch
        {
            New => Put(in request, in attributes),
            Delete => Remove(in request, in attributes),
            Get => Tell(in request, in attributes),
            _ => Change(in request, in attributes),
        };
    }

    /// <inheritdoc/>
    public override Errno StartDump(in ControlRequest request, ref ExtendedAck ack, out ControlDump? dump)
    {
        dump = null;
        ExtendedAck ignored = default;
        Errno errno = OvsFlowAttributes.TryParse(request.Attributes, request.AttributesOffset, ref ignored, out OvsFlowAttributes attributes);
        uint omit = attributes.UfidFlags;
        ControlledDatapath? datapath = server.Datapaths.Find(request.Ifindex);
        if (errno == Errno.None && datapath is null)
        {
            errno = Errno.NoDevice;
        }

        dump = new FlowDump(request.Answer, _message, datapath, request.Ifindex, omit) { Result = errno };
        return Errno.None;
    }

    // The kernel's ovs_flow_cmd_new.
    private Errno Put(in ControlRequest request, in OvsFlowAttributes attributes)
    {
        bool isProbe = attributes.Probe;
        if (!attributes.HasKey)
        {
            return server.Refuse(Refusal.Invalid("Flow key attr not present in new flow."), isProbe);
        }

        if (!attributes.HasActions)
        {
            return server.Refuse(Refusal.Invalid("Flow actions attr not present in new flow."), isProbe);
        }

        Refusal refusal = ParseMatch(in attributes, out FlowKey key, out FlowKey mask);
        Ufid ufid = ReadUfid(in attributes);
        ActionList? actions = null;
        if (!refusal.IsRefused)
        {
            FlowKey.MaskedCopy(in key, in mask, out FlowKey masked);
            refusal = CheckConntrack(in masked);
            refusal = refusal.IsRefused ? refusal : ActionList.TryCreate(attributes.Actions, in masked, server.Options.Actions, out actions);
        }

        if (refusal.IsRefused)
        {
            return server.Refuse(in refusal, isProbe);
        }

        if (server.Datapaths.Find(request.Ifindex) is not { } datapath)
        {
            return Errno.NoDevice;
        }

        bool mayReplace = (request.Header.Flags & (NetlinkFlags.Create | NetlinkFlags.Exclusive)) == 0;
        refusal = datapath.Datapath.Flows.Put(
            in key, in mask, actions!, ufid, mayReplace ? FlowPutMode.CreateOrReplace : FlowPutMode.CreateOnly, out Flow? flow);
        if (refusal.IsRefused)
        {
            return refusal.Errno;
        }

        datapath.FlowChanges++;
        Notify(in request, flow!, New, attributes.UfidFlags);
        return Errno.None;
    }

    // The kernel's ovs_flow_cmd_set.
    private Errno Change(in ControlRequest request, in OvsFlowAttributes attributes)
    {
        bool isProbe = attributes.Probe;
        Ufid ufid = ReadUfid(in attributes);
        if (!attributes.HasKey && !ufid.IsPresent)
        {
            return server.Refuse(Refusal.Invalid("Flow set message rejected, Key attribute missing."), isProbe);
        }

        Refusal refusal = default;
        FlowKey key = default;
        FlowKey mask = default;
        ActionList? actions = null;
        if (attributes.HasKey)
        {
            refusal = ParseMatch(in attributes, out key, out mask);
        }

        if (!refusal.IsRefused && attributes.HasActions)
        {
            if (!attributes.HasKey)
            {
                return server.Refuse(Refusal.Invalid("Flow key attribute not present in set flow."), isProbe);
            }

            FlowKey.MaskedCopy(in key, in mask, out FlowKey masked);
            refusal = ActionList.TryCreate(attributes.Actions, in masked, server.Options.Actions, out actions);
        }

        if (refusal.IsRefused)
        {
            return server.Refuse(in refusal, isProbe);
        }

        if (server.Datapaths.Find(request.Ifindex) is not { } datapath)
        {
            return Errno.NoDevice;
        }

        FlowTable flows = datapath.Datapath.Flows;
        if ((ufid.IsPresent ? flows.Find(ufid) : flows.FindExact(in key)) is not { } flow)
        {
            return Errno.NoEntry;
        }

        if (actions is not null)
        {
            flows.SetActions(flow, actions);
            datapath.FlowChanges++;
        }

        Notify(in request, flow, Set, attributes.UfidFlags);
        if (attributes.Clear)
        {
            flow.ClearStats();
            _message.Forget();
        }

        return Errno.None;
    }

    // The kernel's ovs_flow_cmd_get.
    private Errno Tell(in ControlRequest request, in OvsFlowAttributes attributes)
    {
        Ufid ufid = ReadUfid(in attributes);
        Refusal refusal = default;
        FlowKey key = default;
        if (attributes.HasKey)
        {
            refusal = FlowKey.TryParseNetlink(attributes.Key, out key);
        }
        else if (!ufid.IsPresent)
        {
            refusal = Refusal.Invalid("Flow get message rejected, Key attribute missing.");
        }

        if (refusal.IsRefused)
        {
            return server.Refuse(in refusal, attributes.Probe);
        }

        if (server.Datapaths.Find(request.Ifindex) is not { } datapath)
        {
            return Errno.NoDevice;
        }

        FlowTable flows = datapath.Datapath.Flows;
        if ((ufid.IsPresent ? flows.Find(ufid) : flows.FindExact(in key)) is not { } flow)
        {
            return Errno.NoEntry;
        }

        NetlinkWriter writer = server.BeginReply();
        _message.Write(ref writer, request.Answer, flow, Get, request.Ifindex, attributes.UfidFlags, 0);
        request.Client.Send(writer.Written);
        return Errno.None;
    }

    // The kernel's ovs_flow_cmd_del: without key and UFID, all flows go.
    private Errno Remove(in ControlRequest request, in OvsFlowAttributes attributes)
    {
        Ufid ufid = ReadUfid(in attributes);
        FlowKey key = default;
        if (attributes.HasKey)
        {
            Refusal refusal = FlowKey.TryParseNetlink(attributes.Key, out key);
            if (refusal.IsRefused)
            {
                return server.Refuse(in refusal, attributes.Probe);
            }
        }

        if (server.Datapaths.Find(request.Ifindex) is not { } datapath)
        {
            return Errno.NoDevice;
        }

        FlowTable flows = datapath.Datapath.Flows;
        if (!attributes.HasKey && !ufid.IsPresent)
        {
            flows.Flush();
            datapath.FlowChanges++;
            return Errno.None;
        }

        if ((ufid.IsPresent ? flows.Find(ufid) : flows.FindExact(in key)) is not { } flow)
        {
            return Errno.NoEntry;
        }

        flows.Remove(flow);
        datapath.FlowChanges++;
        Notify(in request, flow, Delete, attributes.UfidFlags);
        return Errno.None;
    }

    private static Refusal ParseMatch(in OvsFlowAttributes attributes, out FlowKey key, out FlowKey mask) => attributes.HasMask
        ? FlowKey.TryParseNetlink(attributes.Key, attributes.Mask, out key, out mask)
        : FlowKey.TryParseNetlinkExact(attributes.Key, out key, out mask);

    // A kernel without conntrack does not know its fields. Here they are known, and zero in every packet: a flow that wants anything else would never be
    // hit, and a program that asks whether there is conntrack is to hear that there is none.
    private Refusal CheckConntrack(in FlowKey masked)
    {
        bool needsConntrack = masked.ConntrackState != 0 || masked.ConntrackZone != 0 || masked.ConntrackMark != 0
            || masked.ConntrackLabels != default || masked.OriginalProtocol != 0;
        return needsConntrack && !server.Options.Actions.Conntrack ? Refusal.Invalid("Unknown key attributes: there is no conntrack.") : Refusal.None;
    }

    // A UFID that is too long counts as none; one that is empty does not pass the policy.
    private static Ufid ReadUfid(in OvsFlowAttributes attributes) =>
        attributes.HasUfid && attributes.Ufid.Length <= Flows.Ufid.MaximumLength ? Flows.Ufid.FromBytes(attributes.Ufid) : default;

    private void Notify(in ControlRequest request, Flow flow, byte command, uint omit)
    {
        if (server.MustNotify(in request))
        {
            NetlinkWriter writer = server.BeginReply();
            _message.Write(ref writer, request.Answer, flow, command, request.Ifindex, omit, 0);
            server.Notify(in request, writer.Written);
        }
    }
}
