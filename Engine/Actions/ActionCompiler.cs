using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Engine.Annotations;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Actions;

/// <summary>Validates actions in the order and with the errno of the kernel's <c>__ovs_nla_copy_actions</c>, and turns them into steps.</summary>
/// <remarks>Threads: one at a time; every thread that installs flows keeps one for its buffers.</remarks>
[ActionSet]
internal sealed partial class ActionCompiler
{
    /// <summary>How deep lists may stand in lists (OVS_COPY_ACTIONS_MAX_DEPTH).</summary>
    private const int MaximumDepth = 16;

    /// <summary>Ports a datapath can have (DP_MAX_PORTS).</summary>
    private const uint MaximumPorts = 0xffff;

    // Lists that are one output, by port. There are no more than ports.
    private static readonly ConcurrentDictionary<uint, ActionList> s_outputs = new();

    [ThreadStatic]
    private static ActionCompiler? s_ofThread;

    private readonly ByteBuffer _attributes = new();
    private readonly ByteBuffer _arguments = new();
    private readonly List<ActionStep> _steps = [];
    private readonly List<object> _objects = [];
    private ActionFeatures _features = ActionFeatures.All;

    // What the key says that validation needs; it does not change while lists are walked.
    private FlowKey _key;

    public static Refusal TryCompile(ReadOnlySpan<byte> attributes, in FlowKey key, ActionFeatures features, out ActionList? list)
    {
        ActionCompiler compiler = s_ofThread ??= new ActionCompiler();
        compiler.Clear(key, features);
        Refusal refusal = compiler.CompileList(new NetlinkAttributes(attributes), PacketShape.Of(key), 0);
        if (!refusal.IsRefused && compiler._attributes.Length > ushort.MaxValue - NetlinkAttribute.HeaderSize)
        {
            refusal = new Refusal(Errno.MessageTooLong, "The actions do not fit into one netlink attribute");
        }

        list = refusal.IsRefused ? null : compiler.Build();
        return refusal;
    }

    private void Clear(in FlowKey key, ActionFeatures features)
    {
        _attributes.Clear();
        _arguments.Clear();
        _steps.Clear();
        _objects.Clear();
        _key = key;
        _features = features;
    }

    private ActionList Build()
    {
        if (_steps.Count == 0)
        {
            return ActionList.Empty;
        }

        // Most flows of most tables: one list for all of a port. Its bytes are the same, however the attribute was flagged.
        return _steps is [{ Opcode: ActionOpcode.Output } output]
            ? s_outputs.GetOrAdd(output.Argument, static (_, compiler) => compiler.Make(), this)
            : Make();
    }

    private ActionList Make() => new([.. _steps], _attributes.Written.ToArray(), _arguments.Written.ToArray(), [.. _objects]);

    /// <summary>Walks one list. What it does to the shape of the packet stays inside of it, as in the kernel.</summary>
    private Refusal CompileList(NetlinkAttributes list, PacketShape shape, int depth)
    {
        if (depth > MaximumDepth)
        {
            return new Refusal(Errno.Overflow, $"Actions are nested more than {MaximumDepth} deep");
        }

        int firstStep = _steps.Count, firstAttribute = _attributes.Length, last = -1;
        NetlinkAttributes walk = list;
        while (walk.MoveNext())
        {
            NetlinkAttribute action = walk.Current;
            int length = LengthOf(action.Type);
            if (action.Type > (int)_features.MaximumAction || (length >= 0 && length != action.Payload.Length))
            {
                return action.Type > (int)_features.MaximumAction
                    ? Refusal.Invalid($"Action {action.Type} is not known", action.Offset)
                    : Refusal.Invalid($"Action {(OvsActionAttribute)action.Type} is {length} bytes, not {action.Payload.Length}", action.Offset);
            }

            last = _steps.Count;
            Refusal refusal = CompileAction(action, ref shape, walk.Remaining == 0, depth);
            if (refusal.IsRefused)
            {
                return refusal;
            }
        }

        if (walk.Remaining > 0)
        {
            return Refusal.Invalid($"{walk.Remaining} bytes after the last action are no action");
        }

        if (last >= 0)
        {
            CollectionsMarshal.AsSpan(_steps)[last].Flags |= ActionStepFlags.Last;
        }

        FillInActions(firstStep, firstAttribute);
        return Refusal.None;
    }

    /// <summary>Tells the upcalls of a list that want it where its attributes stand.</summary>
    private void FillInActions(int firstStep, int firstAttribute)
    {
        ReadOnlySpan<ActionStep> steps = CollectionsMarshal.AsSpan(_steps);
        for (int i = firstStep; i < steps.Length; i += 1 + steps[i].Nested)
        {
            if (steps[i].Opcode == ActionOpcode.Userspace)
            {
                ref UserspaceRecord record = ref MemoryMarshal.AsRef<UserspaceRecord>(_arguments.Written[steps[i].Offset..]);
                if (record.ActionsLength >= 0)
                {
                    record.ActionsOffset = firstAttribute;
                    record.ActionsLength = _attributes.Length - firstAttribute;
                }
            }
        }
    }

    [Action(OvsActionAttribute.Output, "output", Length = 4, LeavesFlow = true)]
    private Refusal CompileOutput(in NetlinkAttribute action)
    {
        uint port = action.Read<uint>();
        return port >= MaximumPorts
            ? Refusal.Invalid($"Output to port {port}: ports go up to {MaximumPorts - 1}", action.Offset)
            : Add(action, new ActionStep { Opcode = ActionOpcode.Output, Argument = port });
    }

    [Action(OvsActionAttribute.Userspace, "userspace", LeavesFlow = true)]
    private Refusal CompileUserspace(in NetlinkAttribute action)
    {
        uint portId = 0;
        ReadOnlySpan<byte> userdata = default;
        UserspaceRecord record = new() { ActionsLength = -1, UserdataLength = -1 };
        foreach (NetlinkAttribute argument in action.Nested)
        {
            if (argument.Type is UserspacePortId or UserspaceEgressTunnelPort && argument.Payload.Length < sizeof(uint))
            {
                return new Refusal(Errno.OutOfRange, "Userspace: port id and port are 4 bytes", argument.Offset);
            }

            switch (argument.Type)
            {
                case UserspacePortId:
                    portId = argument.Read<uint>();
                    break;
                case UserspaceUserdata:
                    userdata = argument.Payload;
                    record.UserdataLength = userdata.Length;
                    break;
                case UserspaceEgressTunnelPort:
                    record.EgressTunnelPort = argument.Read<uint>();
                    record.HasEgressTunnelPort = 1;
                    break;
                case UserspaceActions:
                    record.ActionsLength = 0;
                    break;
            }
        }

        if (portId == 0)
        {
            return Refusal.Invalid("Userspace needs a netlink port id other than 0", action.Offset);
        }

        // A reader of the record needs it aligned.
        int offset = AppendAligned(MemoryMarshal.AsBytes(new ReadOnlySpan<UserspaceRecord>(in record)));
        _arguments.Append(userdata);
        return Add(action, new ActionStep { Opcode = ActionOpcode.Userspace, Argument = portId, Offset = offset });
    }

    [Action(OvsActionAttribute.Recirculate, "recirc", Length = 4, LeavesFlow = true)]
    private Refusal CompileRecirculate(in NetlinkAttribute action) =>
        Add(action, new ActionStep { Opcode = ActionOpcode.Recirculate, Argument = action.Read<uint>() });

    [Action(OvsActionAttribute.Truncate, "trunc", Length = 4, LeavesFlow = true)]
    private Refusal CompileTruncate(in NetlinkAttribute action)
    {
        uint length = action.Read<uint>();
        return length < EthernetHeaderSize
            ? Refusal.Invalid($"Trunc to {length} bytes: {EthernetHeaderSize} is the least", action.Offset)
            : Add(action, new ActionStep { Opcode = ActionOpcode.Truncate, Argument = length });
    }

    [Action(OvsActionAttribute.Hash, "hash", Length = 8)]
    private Refusal CompileHash(in NetlinkAttribute action)
    {
        uint algorithm = action.Read<uint>();
        uint basis = MemoryMarshal.Read<uint>(action.Payload[sizeof(uint)..]);
        return algorithm == HashL4 || (algorithm == HashSymmetricL4 && _features.SymmetricHash)
            ? Add(action, new ActionStep { Opcode = ActionOpcode.Hash, Argument = basis, Small = (ushort)algorithm })
            : Refusal.Invalid($"Hash algorithm {algorithm} is not known", action.Offset);
    }

    [Action(OvsActionAttribute.Meter, "meter", Length = 4)]
    private Refusal CompileMeter(in NetlinkAttribute action) =>
        Add(action, new ActionStep { Opcode = ActionOpcode.Meter, Argument = action.Read<uint>() });

    [Action(OvsActionAttribute.Drop, "drop", Length = 4, LeavesFlow = true)]
    private Refusal CompileDrop(in NetlinkAttribute action, bool isLast) => isLast
        ? Add(action, new ActionStep { Opcode = ActionOpcode.Drop, Argument = action.Read<uint>() })
        : Refusal.Invalid("Drop must be the last action", action.Offset);

    [Action(OvsActionAttribute.ConntrackClear, "ct_clear", Length = 0)]
    private Refusal CompileConntrackClear(in NetlinkAttribute action) => Add(action, new ActionStep { Opcode = ActionOpcode.ConntrackClear });

    [Action(OvsActionAttribute.Conntrack, "ct")]
    private Refusal CompileConntrack(in NetlinkAttribute action)
    {
        if (!_features.Conntrack)
        {
            return new Refusal(Errno.NotSupported, "Ct needs connection tracking, which this datapath does not have", action.Offset);
        }

        Refusal refusal = ConntrackParser.TryParse(action, _key, out ConntrackArguments arguments);
        if (refusal.IsRefused)
        {
            return refusal;
        }

        _steps.Add(new ActionStep { Opcode = ActionOpcode.Conntrack, Argument = (uint)_objects.Count });
        _objects.Add(arguments);
        ConntrackParser.Write(arguments, _attributes);
        return Refusal.None;
    }

    /// <summary>Adds a step whose action is shown as it was given.</summary>
    private Refusal Add(in NetlinkAttribute action, in ActionStep step)
    {
        _attributes.PutAttribute(action.Type, action.Payload);
        _steps.Add(step);
        return Refusal.None;
    }

    private int AppendAligned(ReadOnlySpan<byte> bytes)
    {
        _arguments.Append(-_arguments.Length & 7);
        int offset = _arguments.Length;
        _arguments.Append(bytes);
        return offset;
    }
}
