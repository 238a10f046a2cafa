using System.Runtime.InteropServices;
using System.Text;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tunnels;

/// <summary>A tunnel device of the host that takes its tunnel from each packet, as newer versions of Open vSwitch make them by rtnetlink (COLLECT_METADATA).</summary>
/// <remarks>
/// Such a device would hand over inner packets without their tunnel keys. The engine reads what it is, sets it down, which makes the kernel
/// give its UDP port free, and takes the port itself.
/// </remarks>
/// <param name="Type">The kind of tunnel as the datapath names it.</param>
/// <param name="Port">Its UDP port; 0 for GRE.</param>
internal sealed record TunnelLink(VportType Type, ushort Port)
{
    private const ushort NewLink = 16;
    private const int LinkMessageSize = 16;
    private const int LinkInformation = 18, InformationKind = 1, InformationData = 2;

    /// <summary>Whether a VXLAN device carries group policy.</summary>
    public bool HasGroupPolicy { get; init; }

    /// <summary>Whether a VXLAN device carries other packets than Ethernet frames too.</summary>
    public bool IsGeneric { get; init; }

    /// <summary>Asks the host what a device of the calling thread's network namespace is.</summary>
    /// <returns>Null when there is none of that name, or it is no such tunnel.</returns>
    public static TunnelLink? Find(string name)
    {
        using LinkSocket links = new();
        return links.TryRead(name, Parse);
    }

    /// <summary>Reads RTM_NEWLINK.</summary>
    /// <returns>Null when it is of no such tunnel.</returns>
    internal static TunnelLink? Parse(ReadOnlySpan<byte> message)
    {
        const int Headers = NetlinkHeader.Size + LinkMessageSize;
        if (message.Length < Headers || MemoryMarshal.Read<NetlinkHeader>(message).Type != NewLink)
        {
            return null;
        }

        foreach (NetlinkAttribute attribute in new NetlinkAttributes(message[Headers..]))
        {
            if (attribute.Type == LinkInformation)
            {
                return ParseInformation(attribute);
            }
        }

        return null;
    }

    private static TunnelLink? ParseInformation(NetlinkAttribute information)
    {
        string kind = string.Empty;
        ReadOnlySpan<byte> data = default;
        foreach (NetlinkAttribute attribute in information.Nested)
        {
            switch (attribute.Type)
            {
                case InformationKind:
                    kind = Encoding.ASCII.GetString(attribute.Text);
                    break;
                case InformationData:
                    data = attribute.Payload;
                    break;
            }
        }

        // IFLA_VXLAN_*, IFLA_GENEVE_*, IFLA_GRE_* of linux/if_link.h and linux/if_tunnel.h
        return kind switch
        {
            "vxlan" when Flag(data, 25) => new TunnelLink(VportType.Vxlan, PortIn(data, 15)) { HasGroupPolicy = Flag(data, 23), IsGeneric = Flag(data, 27) },
            "geneve" when Flag(data, 6) => new TunnelLink(VportType.Geneve, PortIn(data, 5)),
            "gretap" when Flag(data, 18) => new TunnelLink(VportType.Gre, 0),
            _ => null,
        };
    }

    // The kernel tells a flag by an empty attribute, COLLECT_METADATA of VXLAN by a byte.
    private static bool Flag(ReadOnlySpan<byte> data, int type)
    {
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(data))
        {
            if (attribute.Type == type)
            {
                return attribute.Payload.IsEmpty || attribute.Payload[0] != 0;
            }
        }

        return false;
    }

    private static ushort PortIn(ReadOnlySpan<byte> data, int type)
    {
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(data))
        {
            if (attribute.Type == type && attribute.Payload.Length == sizeof(ushort))
            {
                return attribute.Read<Be16>().Value;
            }
        }

        return 0;
    }
}
