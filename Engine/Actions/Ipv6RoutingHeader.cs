namespace Engine.Actions;

/// <summary>Looks for a routing header (RFC 8200 section 4.4) in a chain of extension headers.</summary>
internal static class Ipv6RoutingHeader
{
    private const int Ipv6HeaderSize = 40;
    private const byte HopByHop = 0;
    private const byte Routing = 43;
    private const byte Fragment = 44;
    private const byte Authentication = 51;
    private const byte DestinationOptions = 60;

    /// <summary>Whether there is a routing header with segments left (ipv6_find_hdr with IP6_FH_F_SKIP_RH); false when the chain is cut short.</summary>
    /// <param name="bytes">From the IPv6 header on.</param>
    public static bool HasSegmentsLeft(ReadOnlySpan<byte> bytes)
    {
        byte next = bytes[6];
        int offset = Ipv6HeaderSize;
        while (next is HopByHop or Routing or Fragment or Authentication or DestinationOptions)
        {
            if (offset + 8 > bytes.Length)
            {
                return false;
            }

            ReadOnlySpan<byte> header = bytes[offset..];
            if (next == Routing && header[3] != 0)
            {
                return true;
            }

            // What follows a later fragment's header is payload.
            if (next == Fragment && (((header[2] << 8) | header[3]) & 0xfff8) != 0)
            {
                return false;
            }

            offset += next switch
            {
                Fragment => 8,
                Authentication => (header[1] + 2) << 2,
                _ => (header[1] + 1) << 3,
            };
            next = header[0];
        }

        return false;
    }
}
