using System.Runtime.InteropServices;
using System.Text;
using Engine.Netlink;

namespace Engine.Vports;

/// <summary>A device of the host as rtnetlink tells of it (RTM_NEWLINK, RTM_DELLINK).</summary>
/// <param name="Index">The interface index.</param>
/// <param name="Name">The name it has now.</param>
public sealed record LinkState(int Index, string Name)
{
    private const ushort NewLink = 16, DeleteLink = 17;
    private const int NameAttribute = 3, MtuAttribute = 4, MasterAttribute = 10;
    private const byte UnspecifiedFamily = 0;
    private const uint UpFlag = 1;

    /// <summary>Whether it has left the namespace: deleted, or moved to another one.</summary>
    public bool IsGone { get; private init; }

    /// <summary>Whether the host has set it up.</summary>
    public bool IsUp { get; private init; }

    /// <summary>The MTU in bytes.</summary>
    public int Mtu { get; private init; }

    /// <summary>Index of the bridge, bond or the like that it is part of; 0 for none.</summary>
    public int Master { get; private init; }

    /// <summary>Reads a message.</summary>
    /// <param name="message">One netlink message with its header.</param>
    /// <param name="state">What it tells, or null when it is about something else.</param>
    internal static bool TryRead(ReadOnlySpan<byte> message, out LinkState? state)
    {
        // struct ifinfomsg: family 8, pad 8, type 16, index 32, flags 32, change 32.
        const int InfoSize = 16;
        state = null;
        NetlinkHeader header = MemoryMarshal.Read<NetlinkHeader>(message);
        ReadOnlySpan<byte> body = message[NetlinkHeader.Size..];

        // A bridge tells in messages of its own family that a device is no longer part of it.
        if (header.Type is not (NewLink or DeleteLink) || body.Length < InfoSize || body[0] != UnspecifiedFamily)
        {
            return false;
        }

        string name = string.Empty;
        int mtu = 0, master = 0;
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(body[InfoSize..]))
        {
            switch (attribute.Type)
            {
                case NameAttribute:
                    name = Encoding.UTF8.GetString(attribute.Text);
                    break;
                case MtuAttribute when attribute.Payload.Length >= sizeof(int):
                    mtu = attribute.Read<int>();
                    break;
                case MasterAttribute when attribute.Payload.Length >= sizeof(int):
                    master = attribute.Read<int>();
                    break;
            }
        }

        state = new LinkState(MemoryMarshal.Read<int>(body[4..]), name)
        {
            IsGone = header.Type == DeleteLink,
            IsUp = (MemoryMarshal.Read<uint>(body[8..]) & UpFlag) != 0,
            Mtu = mtu,
            Master = master,
        };
        return true;
    }
}
