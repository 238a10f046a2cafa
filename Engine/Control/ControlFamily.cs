using System.Collections.Immutable;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Control;

/// <summary>A generic netlink family: its number, its commands, and what they do.</summary>
/// <remarks>Threads: the control thread.</remarks>
internal abstract class ControlFamily(ushort id, string name, byte version, int headerSize, ImmutableArray<NetlinkPolicy> policies)
{
    /// <summary>Its number: the type of its messages.</summary>
    public ushort Id { get; } = id;

    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>Its version.</summary>
    public byte Version { get; } = version;

    /// <summary>Bytes of the header behind the generic one.</summary>
    public int HeaderSize { get; } = headerSize;

    /// <summary>The policy of its attributes by number.</summary>
    public ImmutableArray<NetlinkPolicy> Policies { get; } = policies;

    /// <summary>Its highest attribute number, as programs are told it.</summary>
    public virtual int MaximumAttribute => Policies.Length - 1;

    /// <summary>Its commands in the order in which they are told.</summary>
    public abstract ImmutableArray<ControlOperation> Operations { get; }

    /// <summary>Whether packets that were executed before may go on waiting while a command is done: not when it may be about the ports for which they wait.</summary>
    public virtual bool LetsPacketsWait => false;

    /// <summary>Name of its multicast group, or null when it has none.</summary>
    public string? GroupName { get; init; }

    /// <summary>Number of its multicast group.</summary>
    public uint Group { get; init; }

    /// <summary>Gives a command.</summary>
    /// <param name="request">What was asked. Its header is complete.</param>
    /// <param name="ack">What the error message is to say beyond the errno.</param>
    public abstract Errno Do(in ControlRequest request, ref ExtendedAck ack);

    /// <summary>Prepares a dump.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="ack">What the error message is to say beyond the errno.</param>
    /// <param name="dump">What is to be sent.</param>
    /// <returns>An errno when the request is bad; a dump that fails says so in its own end.</returns>
    public virtual Errno StartDump(in ControlRequest request, ref ExtendedAck ack, out ControlDump? dump)
    {
        dump = null;
        return Errno.NotSupported;
    }

    /// <summary>The command of this number, or null.</summary>
    public ControlOperation? FindOperation(byte command)
    {
        foreach (ControlOperation operation in Operations)
        {
            if (operation.Command == command)
            {
                return operation;
            }
        }

        return null;
    }
}
