using System.Runtime.InteropServices;
using Engine.Netlink;

namespace Engine.Control;

/// <summary>Whose message it is and to whom it goes: what the headers of answers, notifications and upcalls are made from.</summary>
/// <param name="Family">The family.</param>
/// <param name="Sequence">Sequence number of the request; 0 when nobody asked.</param>
/// <param name="PortId">Netlink port id of who asked; 0 when nobody did.</param>
internal readonly record struct MessageTarget(ControlFamily Family, uint Sequence, uint PortId)
{
    /// <summary>Writes the netlink, the generic and, where the family has it, the datapath header.</summary>
    /// <returns>A token for <see cref="NetlinkWriter.EndMessage"/>.</returns>
    public int Begin(ref NetlinkWriter writer, byte command, int ifindex, ushort flags = 0)
    {
        int start = writer.BeginMessage(new NetlinkHeader { Type = Family.Id, Flags = flags, Sequence = Sequence, PortId = PortId });
        GenericHeader generic = new() { Command = command, Version = Family.Version };
        writer.PutRaw(MemoryMarshal.AsBytes(new ReadOnlySpan<GenericHeader>(in generic)));
        if (Family.HeaderSize != 0)
        {
            writer.PutRaw(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in ifindex)));
        }

        return start;
    }
}
