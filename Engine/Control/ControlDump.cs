using System.Runtime.CompilerServices;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Control;

/// <summary>A dump under way: writes message after message until there is no more.</summary>
/// <remarks>Threads: the control thread.</remarks>
internal abstract class ControlDump(MessageTarget target)
{
    /// <summary>Whose dump it is.</summary>
    protected MessageTarget Target { get; } = target;

    /// <summary>NLM_F_MULTI, and NLM_F_DUMP_INTR once what is dumped has changed.</summary>
    protected ushort Flags => (ushort)(NetlinkFlags.Multi | (HasChanged ? NetlinkFlags.DumpInterrupted : 0));

    /// <summary>Whether what is dumped changed since the dump began.</summary>
    protected virtual bool HasChanged => false;

    /// <summary>What the end of the dump says.</summary>
    public Errno Result { get; init; }

    /// <summary>The datagram that was made last and not taken; it goes out before anything else.</summary>
    public byte[]? Waiting { get; set; }

    /// <summary>Whether the end has been made.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Fills a datagram: messages as long as they fit, or the end alone.</summary>
    /// <remarks>Compiled in full at once: a first dump may be as long as any.</remarks>
    /// <param name="writer">Room for the longest message there is.</param>
    /// <param name="length">The longest datagram; one message alone may be longer.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(ref NetlinkWriter writer, int length)
    {
        int before = 0;
        while (Result == Errno.None && TryWriteNext(ref writer))
        {
            if (before != 0 && (writer.Overflowed || writer.Length > length))
            {
                writer.Restart(before);
                StepBack();
                return;
            }

            if (writer.Overflowed)
            {
                // Longer than any message: left out, for to try again would not end.
                writer.Restart(0);
            }

            before = writer.Length;
        }

        if (writer.Length == 0)
        {
            int start = writer.BeginMessage(new NetlinkHeader { Type = NetlinkHeader.DoneType, Flags = Flags, Sequence = Target.Sequence, PortId = Target.PortId });
            int result = -(int)Result;
            writer.PutRaw(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in result)));
            writer.EndMessage(start);
            IsEnded = true;
        }
    }

    /// <summary>Writes the next message and goes on to the one after.</summary>
    /// <returns>False when there is none left.</returns>
    protected abstract bool TryWriteNext(ref NetlinkWriter writer);

    /// <summary>Goes back to the message that did not fit.</summary>
    protected abstract void StepBack();
}
