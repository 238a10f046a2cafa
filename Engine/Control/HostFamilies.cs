using System.Runtime.InteropServices;
using System.Text;
using Engine.Netlink;

namespace Engine.Control;

/// <summary>The generic netlink families of the host's kernel, in lists beside those of the server.</summary>
internal static class HostFamilies
{
    // CTRL_CMD_GETFAMILY.
    private const byte GetFamily = 3;

    private const int Headers = NetlinkHeader.Size + GenericHeader.Size;

    /// <summary>Whether a message asks <c>nlctrl</c> for the list of all families.</summary>
    public static bool IsListed(ReadOnlySpan<byte> message)
    {
        NetlinkHeader header = NetlinkMessages.HeaderOf(message);
        return header.Type == ControllerFamily.ControllerId && header.Has(NetlinkFlags.Dump) && message.Length >= Headers
            && MemoryMarshal.Read<GenericHeader>(message[NetlinkHeader.Size..]).Command == GetFamily;
    }

    /// <summary>Takes out of a datagram of the host's list what the server lists itself, the kernel's module included, and the end.</summary>
    /// <param name="server">The server.</param>
    /// <param name="datagram">The datagram; what stays is moved to its start.</param>
    /// <returns>Bytes that stay.</returns>
    public static int Keep(ControlServer server, Span<byte> datagram)
    {
        int kept = 0;
        NetlinkMessages messages = new(datagram);
        while (messages.MoveNext())
        {
            if (IsOther(server, messages.Current))
            {
                Span<byte> message = datagram[messages.Start..messages.End];
                message.CopyTo(datagram[kept..]);
                kept += message.Length;
            }
        }

        return kept;
    }

    private static bool IsOther(ControlServer server, ReadOnlySpan<byte> message)
    {
        if (NetlinkMessages.HeaderOf(message).Type != ControllerFamily.ControllerId || message.Length < Headers)
        {
            return false;
        }

        foreach (NetlinkAttribute attribute in new NetlinkAttributes(message[Headers..]))
        {
            if (attribute.Type == (int)ControllerAttribute.FamilyName)
            {
                string name = Encoding.UTF8.GetString(attribute.Text);
                return name != "nlctrl" && !server.Serves(name);
            }
        }

        return false;
    }
}
