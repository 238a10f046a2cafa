using System.Runtime.InteropServices;
using Engine.Annotations;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Actions;

// Actions that hold lists.
internal sealed partial class ActionCompiler
{
    [Action(OvsActionAttribute.Sample, "sample")]
    private Refusal CompileSample(in NetlinkAttribute action, in PacketShape shape, bool isLast, int depth)
    {
        NetlinkAttribute probability = default, list = default;
        int seen = 0;
        NetlinkAttributes walk = action.Nested;
        while (walk.MoveNext())
        {
            int type = walk.Current.Type;
            if (type is 0 or > SampleMaximum || (seen & (1 << type)) != 0)
            {
                return Refusal.Invalid($"Sample: attribute {type} is not known or given twice", walk.Current.Offset);
            }

            seen |= 1 << type;
            if (type == SampleProbability)
            {
                probability = walk.Current;
            }
            else if (type == SampleActions)
            {
                list = walk.Current;
            }
        }

        if (!EndsExactly(action) || (seen & (1 << SampleProbability)) == 0 || probability.Payload.Length != sizeof(uint))
        {
            return Refusal.Invalid("Sample needs a probability of 4 bytes", action.Offset);
        }

        if ((seen & (1 << SampleActions)) == 0 || !IsList(list))
        {
            return Refusal.Invalid("Sample needs actions", action.Offset);
        }

        uint chance = probability.Read<uint>();
        int step = AddHolder(ActionOpcode.Sample, isLast || !MayChangeFlow(list.Nested) ? ActionStepFlags.None : ActionStepFlags.NeedsKey, chance);
        int start = _attributes.BeginNested(action.Type);
        _attributes.PutAttribute(SampleProbability, chance);
        return EndHolder(CompileNested(list.Nested, SampleActions, shape, depth), step, start);
    }

    [Action(OvsActionAttribute.Clone, "clone")]
    private Refusal CompileClone(in NetlinkAttribute action, in PacketShape shape, bool isLast, int depth)
    {
        if (!IsList(action))
        {
            return Refusal.Invalid("Clone needs actions", action.Offset);
        }

        int step = AddHolder(ActionOpcode.Clone, isLast || !MayChangeFlow(action.Nested) ? ActionStepFlags.None : ActionStepFlags.NeedsKey, 0);
        return EndHolder(CompileNested(action.Nested, action.Type, shape, depth), step, -1);
    }

    [Action(OvsActionAttribute.CheckPacketLength, "check_pkt_len")]
    private Refusal CompileCheckPacketLength(in NetlinkAttribute action, in PacketShape shape, bool isLast, int depth)
    {
        NetlinkAttribute length = default, greater = default, lessOrEqual = default;
        int seen = 0;
        NetlinkAttributes walk = action.Nested;
        while (walk.MoveNext())
        {
            NetlinkAttribute argument = walk.Current;
            if (argument.Type is 0 or > CheckMaximum)
            {
                return Refusal.Invalid($"Check_pkt_len: attribute {argument.Type} is not known", argument.Offset);
            }

            if ((argument.Type == CheckLength && argument.Payload.Length < sizeof(ushort))
                || (argument.Type is CheckIfGreater or CheckIfLessOrEqual && !IsList(argument)))
            {
                return new Refusal(Errno.OutOfRange, $"Check_pkt_len: attribute {argument.Type} is too short", argument.Offset);
            }

            seen |= 1 << argument.Type;
            switch (argument.Type)
            {
                case CheckLength:
                    length = argument;
                    break;
                case CheckIfGreater:
                    greater = argument;
                    break;
                case CheckIfLessOrEqual:
                    lessOrEqual = argument;
                    break;
            }
        }

        const int Needed = (1 << CheckLength) | (1 << CheckIfGreater) | (1 << CheckIfLessOrEqual);
        if (walk.Remaining > 0 || (seen & Needed) != Needed || length.Read<ushort>() == 0)
        {
            return Refusal.Invalid("Check_pkt_len needs a length other than 0 and two lists of actions", action.Offset);
        }

        ActionStepFlags flags = (isLast || !MayChangeFlow(lessOrEqual.Nested) ? ActionStepFlags.None : ActionStepFlags.NeedsKey)
            | (isLast || !MayChangeFlow(greater.Nested) ? ActionStepFlags.None : ActionStepFlags.LongNeedsKey);
        int step = AddHolder(ActionOpcode.CheckPacketLength, flags, 0);
        CollectionsMarshal.AsSpan(_steps)[step].Small = length.Read<ushort>();
        int start = _attributes.BeginNested(action.Type);
        _attributes.PutAttribute(CheckLength, length.Read<ushort>());
        Refusal refusal = CompileNested(lessOrEqual.Nested, CheckIfLessOrEqual, shape, depth);
        CollectionsMarshal.AsSpan(_steps)[step].Argument = (uint)(_steps.Count - step - 1);
        return EndHolder(refusal.IsRefused ? refusal : CompileNested(greater.Nested, CheckIfGreater, shape, depth), step, start);
    }

    [Action(OvsActionAttribute.DecrementTtl, "dec_ttl")]
    private Refusal CompileDecrementTtl(in NetlinkAttribute action, in PacketShape shape, int depth)
    {
        NetlinkAttribute list = default;
        bool found = false;
        NetlinkAttributes walk = action.Nested;
        while (walk.MoveNext())
        {
            // Attributes that are not known are skipped.
            if (walk.Current.Type > DecrementTtlAction)
            {
                continue;
            }

            if (walk.Current.Type == 0 || found)
            {
                return Refusal.Invalid("Dec_ttl: the actions are given twice", walk.Current.Offset);
            }

            list = walk.Current;
            found = true;
        }

        if (!EndsExactly(action) || !found || !IsList(list))
        {
            return Refusal.Invalid("Dec_ttl needs the actions for a TTL that is used up", action.Offset);
        }

        int step = AddHolder(ActionOpcode.DecrementTtl, ActionStepFlags.None, 0);
        int start = _attributes.BeginNested(action.Type | NetlinkAttribute.NestedFlag);
        return EndHolder(CompileNested(list.Nested, DecrementTtlAction | NetlinkAttribute.NestedFlag, shape, depth), step, start);
    }

    private int AddHolder(ActionOpcode opcode, ActionStepFlags flags, uint argument)
    {
        _steps.Add(new ActionStep { Opcode = opcode, Flags = flags, Argument = argument });
        return _steps.Count - 1;
    }

    private Refusal CompileNested(NetlinkAttributes list, int attribute, in PacketShape shape, int depth)
    {
        // Every list starts from what the key says about the Ethernet header, whatever the actions before did.
        PacketShape inner = shape with { HasEthernet = _key.MacProtocol == 1 };
        int start = _attributes.BeginNested(attribute);
        Refusal refusal = CompileList(list, inner, depth + 1);
        return EndNested(refusal, start);
    }

    private Refusal EndHolder(Refusal refusal, int step, int start)
    {
        CollectionsMarshal.AsSpan(_steps)[step].Nested = _steps.Count - step - 1;
        return start < 0 ? refusal : EndNested(refusal, start);
    }

    private Refusal EndNested(Refusal refusal, int start) => _attributes.EndNested(start) || refusal.IsRefused
        ? refusal
        : new Refusal(Errno.MessageTooLong, "The actions do not fit into one netlink attribute");

    /// <summary>Whether a list can leave packet or key other than they were, so that what follows needs its own (actions_may_change_flow).</summary>
    private static bool MayChangeFlow(NetlinkAttributes list)
    {
        foreach (NetlinkAttribute action in list)
        {
            if (!LeavesFlow(action.Type))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether an attribute is empty or has room for an attribute.</summary>
    private static bool IsList(in NetlinkAttribute attribute) => attribute.Payload.Length is 0 or >= NetlinkAttribute.HeaderSize;

    /// <summary>Whether the attributes in <paramref name="action"/>, each padded, fill it to the last byte.</summary>
    private static bool EndsExactly(in NetlinkAttribute action)
    {
        int length = 0;
        foreach (NetlinkAttribute inner in action.Nested)
        {
            length += (NetlinkAttribute.HeaderSize + inner.Payload.Length + 3) & ~3;
        }

        return length == action.Payload.Length;
    }
}
