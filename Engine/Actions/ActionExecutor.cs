using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Actions;

/// <summary>Runs action lists on packets, step by step, as the kernel's <c>ovs_execute_actions</c>.</summary>
/// <remarks>
/// <para>A step that fails ends its list and every list around it, and drops the packet. Nested lists and recirculations run at once
/// down to a depth, beyond it after everything else, in the order in which they came up.</para>
/// <para>Threads: no state. The caller owns packet, key and context.</para>
/// </remarks>
public static unsafe partial class ActionExecutor
{
    /// <summary>Executes a list on a packet and consumes the packet.</summary>
    /// <param name="list">The actions.</param>
    /// <param name="packet">The packet; the caller must not touch it afterwards.</param>
    /// <param name="key">Its key. Changed as the packet is.</param>
    /// <param name="context">The worker's context; the same one when the host recirculates.</param>
    /// <param name="host">Answers what the actions ask for.</param>
    /// <returns>The errno that OVS_PACKET_CMD_EXECUTE returns; a failed packet is already counted as dropped.</returns>
    public static Errno Execute<THost>(ActionList list, Packet* packet, ref FlowKey key, ActionContext context, ref THost host)
        where THost : struct, IActionHost
    {
        int level = ++context.Level;
        Errno error;
        if (level > ActionContext.RecursionLimit)
        {
            host.Drop(packet, DropReason.RecursionLimit);
            error = Errno.NetworkDown;
        }
        else
        {
            error = Run(list, 0, list.Steps.Length, packet, ref key, context, ref host);
            if (level == 1 && !context.HasNoDeferred)
            {
                RunDeferred(context, ref host);
            }
        }

        context.Level--;
        return error;
    }

    /// <summary>Runs the steps of one list, which consumes the packet (do_execute_actions).</summary>
    private static Errno Run<THost>(ActionList list, int firstStep, int endStep, Packet* packet, ref FlowKey key, ActionContext context, ref THost host)
        where THost : struct, IActionHost
    {
        ReadOnlySpan<ActionStep> steps = list.Steps;
        for (int i = firstStep; i < endStep;)
        {
            ref readonly ActionStep step = ref steps[i];
            int nested = i + 1;
            i = nested + step.Nested;
            Errno error = Errno.None;
            switch (step.Opcode)
            {
                case ActionOpcode.Output:
                    if (step.IsLast)
                    {
                        Output(packet, key, step.Argument, ref host);
                        return Errno.None;
                    }

                    OutputCopy(packet, key, step.Argument, ref host);
                    break;

                case ActionOpcode.Userspace:
                    Userspace(list, step, packet, key, ref host);
                    if (step.IsLast)
                    {
                        host.Free(packet);
                        return Errno.None;
                    }

                    break;

                case ActionOpcode.Truncate:
                    Truncate(packet, step.Argument);
                    break;

                case ActionOpcode.Recirculate:
                    error = packet->IsKeyStale ? UpdateKey(packet, ref key) : Errno.None;
                    if (error != Errno.None)
                    {
                        break;
                    }

                    Recirculate(step, packet, key, context, ref host);
                    if (step.IsLast)
                    {
                        return Errno.None;
                    }

                    break;

                case ActionOpcode.Sample:
                    if (step.Argument != uint.MaxValue && (step.Argument == 0 || host.NextRandom() > step.Argument))
                    {
                        if (step.IsLast)
                        {
                            host.Drop(packet, DropReason.LastAction);
                            return Errno.None;
                        }

                        break;
                    }

                    goto case ActionOpcode.Clone;

                case ActionOpcode.Clone:
                    error = RunNested(list, nested, i, step, ActionStepFlags.NeedsKey, packet, ref key, context, ref host);
                    if (step.IsLast)
                    {
                        return error;
                    }

                    break;

                case ActionOpcode.CheckPacketLength:
                    int longList = nested + (int)step.Argument;
                    error = IsWithin(packet, step.Small)
                        ? RunNested(list, nested, longList, step, ActionStepFlags.NeedsKey, packet, ref key, context, ref host)
                        : RunNested(list, longList, i, step, ActionStepFlags.LongNeedsKey, packet, ref key, context, ref host);
                    if (step.IsLast)
                    {
                        return error;
                    }

                    break;

                case ActionOpcode.DecrementTtl:
                    error = SetField.DecrementTtl(packet, ref key, out bool isUsedUp);
                    if (isUsedUp)
                    {
                        // The list for this case ends the packet's way, whatever follows.
                        if (step.Nested != 0)
                        {
                            return Run(list, nested, i, packet, ref key, context, ref host);
                        }

                        host.Drop(packet, DropReason.IpTtl);
                        return Errno.None;
                    }

                    break;

                case ActionOpcode.Hash:
                    PacketHash.SetDatapathHash(packet, ref key, step.Small, step.Argument);
                    break;

                case ActionOpcode.Meter:
                    if (host.IsOverMeter(packet, key, step.Argument))
                    {
                        host.Drop(packet, DropReason.Meter);
                        return Errno.None;
                    }

                    break;

                case ActionOpcode.Conntrack:
                    error = packet->IsKeyStale ? UpdateKey(packet, ref key) : Errno.None;
                    if (error == Errno.None)
                    {
                        error = host.Conntrack(packet, ref key, list.Object<ConntrackArguments>(step.Argument));
                        if (error != Errno.None)
                        {
                            return error == Errno.InProgress ? Errno.None : error;
                        }
                    }

                    break;

                case ActionOpcode.ConntrackClear:
                    host.ClearConntrack(packet, ref key);
                    break;

                case ActionOpcode.SetTunnel:
                    host.SetTunnel(packet, list.Object<TunnelKey>(step.Argument));
                    break;

                case ActionOpcode.Drop:
                    host.Drop(packet, step.Argument == 0 ? DropReason.Explicit : DropReason.ExplicitWithError);
                    return Errno.None;

                default:
                    error = step.Opcode >= ActionOpcode.PushVlan
                        ? PushPop.Run(step, list.Arguments[step.Offset..], packet, ref key)
                        : SetField.Run(step, list.Arguments[step.Offset..], packet, ref key);
                    break;
            }

            if (error != Errno.None)
            {
                host.Drop(packet, DropReason.ActionError);
                return error;
            }
        }

        host.Drop(packet, DropReason.LastAction);
        return Errno.None;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Output<THost>(Packet* packet, in FlowKey key, uint port, ref THost host)
        where THost : struct, IActionHost
    {
        CutIfAsked(packet);
        host.Output(packet, key, port);
    }

    /// <summary>Makes good what trunc said, before an output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void CutIfAsked(Packet* packet)
    {
        if (packet->CutLength != 0)
        {
            Cut(packet);
        }
    }

    /// <summary>Notes what the next output leaves out. A limit above the length leaves the one before in force.</summary>
    internal static void Truncate(Packet* packet, uint limit)
    {
        int length = packet->LengthWithoutOuterTag;
        packet->CutLength = length > limit ? length - (int)limit : packet->CutLength;
    }

    private static void OutputCopy<THost>(Packet* packet, in FlowKey key, uint port, ref THost host)
        where THost : struct, IActionHost
    {
        Packet* copy = host.TryClone(packet);
        packet->CutLength = 0;
        if (copy != null)
        {
            Output(copy, key, port, ref host);
        }
    }

    /// <summary>Leaves out what trunc said, but never a part of the Ethernet header.</summary>
    private static void Cut(Packet* packet)
    {
        int outside = packet->Length - packet->LengthWithoutOuterTag;
        int least = packet->HasEthernet ? EthernetLayout.HeaderSize : 0;
        packet->Trim(Math.Max(packet->LengthWithoutOuterTag - packet->CutLength, least) + outside);
        packet->CutLength = 0;
    }

    private static void Userspace<THost>(ActionList list, in ActionStep step, Packet* packet, in FlowKey key, ref THost host)
        where THost : struct, IActionHost
    {
        ReadOnlySpan<byte> arguments = list.Arguments[step.Offset..];
        ref readonly UserspaceRecord record = ref MemoryMarshal.AsRef<UserspaceRecord>(arguments);
        UserspaceArguments upcall = new(
            step.Argument,
            record.UserdataLength >= 0,
            arguments.Slice(UserspaceRecord.Size, Math.Max(record.UserdataLength, 0)),
            record.ActionsLength >= 0,
            list.Attributes.Slice(record.ActionsOffset, Math.Max(record.ActionsLength, 0)),
            record.HasEgressTunnelPort != 0,
            record.EgressTunnelPort);
        host.Userspace(packet, key, upcall);
        packet->CutLength = 0;
    }

    // A super-frame counts as its segments (skb_gso_validate_mac_len), a reassembled packet as its longest fragment.
    private static bool IsWithin(Packet* packet, int limit)
    {
        if (packet->Offload.GsoType != 0 && SegmentationOffload.TryStart(ref *packet, out SegmentationOffload segments)
            && segments.SegmentLength - (packet->Length - packet->LengthWithoutOuterTag) <= limit)
        {
            return true;
        }

        int length = packet->MaximumReceiveUnit == 0 ? packet->LengthWithoutOuterTag : packet->MaximumReceiveUnit + PushPop.LinkLayerLength(packet);
        return length <= limit;
    }

    /// <summary>Extracts the key again after actions changed the packet (ovs_flow_key_update).</summary>
    private static Errno UpdateKey(Packet* packet, ref FlowKey key)
    {
        if (!packet->HasEthernet)
        {
            key.EtherType = packet->Protocol;
        }

        packet->IsKeyStale = false;
        return FlowKeyExtractor.TryExtract(packet, ref key) ? Errno.None : Errno.InvalidArgument;
    }
}
