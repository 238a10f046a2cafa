using System.Runtime.CompilerServices;
using Engine.Flows;
using Engine.Primitives;

namespace Engine.Actions;

/// <summary>The immutable program of a flow: its actions, validated as the kernel does and compiled to steps.</summary>
/// <remarks>
/// <para>The steps of a nested list stand right behind the step that holds it, so a list is a range of steps.</para>
/// <para>Threads: any number of readers.</para>
/// </remarks>
public sealed class ActionList : FlowActions
{
    private readonly ActionStep[] _steps;
    private readonly byte[] _attributes;
    private readonly byte[] _arguments;
    private readonly object[] _objects;

    internal ActionList(ActionStep[] steps, byte[] attributes, byte[] arguments, object[] objects)
    {
        _steps = steps;
        _attributes = attributes;
        _arguments = arguments;
        _objects = objects;
        SingleOutputPort = steps is [{ Opcode: ActionOpcode.Output }] ? (int)steps[0].Argument : -1;
        if (steps is [{ Opcode: ActionOpcode.SetTunnel }, { Opcode: ActionOpcode.Output }])
        {
            SingleTunnel = Object<TunnelKey>(steps[0].Argument);
        }
    }

    /// <summary>A list without actions: it drops every packet.</summary>
    public static ActionList Empty { get; } = new([], [], [], []);

    /// <summary>The actions as netlink attributes, byte for byte as the kernel shows them in flow dumps.</summary>
    public override ReadOnlySpan<byte> Attributes => _attributes;

    /// <summary>Whether the list drops every packet because there is no action in it.</summary>
    public bool IsEmpty => _steps.Length == 0;

    /// <inheritdoc/>
    public override int SingleOutputPort { get; }

    /// <summary>The tunnel, when all there is to do is to output by one; the port is <see cref="SingleTunnelPort"/>.</summary>
    internal TunnelKey? SingleTunnel { get; }

    /// <summary>See <see cref="SingleTunnel"/>.</summary>
    internal uint SingleTunnelPort => _steps[1].Argument;

    /// <summary>All steps, those of nested lists behind the step that holds them.</summary>
    internal ReadOnlySpan<ActionStep> Steps
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _steps;
    }

    /// <summary>Arguments too large for a step.</summary>
    internal ReadOnlySpan<byte> Arguments
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _arguments;
    }

    /// <summary>Validates and compiles actions.</summary>
    /// <param name="attributes">OVS_ACTION_ATTR_* attributes, the payload of OVS_FLOW_ATTR_ACTIONS or OVS_PACKET_ATTR_ACTIONS.</param>
    /// <param name="key">The masked key of the flow, or for OVS_PACKET_CMD_EXECUTE the key of the packet.</param>
    /// <param name="features">Which actions are known.</param>
    /// <param name="list">The program, null when refused.</param>
    /// <returns>The kernel's errno with a reason when refused.</returns>
    public static Refusal TryCreate(ReadOnlySpan<byte> attributes, in FlowKey key, ActionFeatures features, out ActionList? list) =>
        ActionCompiler.TryCompile(attributes, key, features, out list);

    internal T Object<T>(uint index)
        where T : class => (T)_objects[index];
}
