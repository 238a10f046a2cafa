namespace Engine.Tests.Oracles;

/// <summary>IPv6 extension headers, RFC 8200 section 4, walked twice as the kernel does: once for what was seen, once for the last header.</summary>
internal static class ByteExtensionHeaders
{
    /// <summary>What <see cref="Last"/> gives for a chain that is cut short: no next header.</summary>
    public const int Broken = NoNext;

    private const int HopByHop = 0, Routing = 43, Fragment = 44, Authentication = 51, NoNext = 59, Destination = 60;

    /// <summary>The bits of OVS_KEY_ATTR_IPV6_EXTHDRS: no next 1, authentication 4, destination 8, fragment 16, router 32, hop-by-hop 64, repeated 128, out of order 256.</summary>
    /// <param name="bytes">From behind the fixed header on.</param>
    /// <param name="next">Its next header.</param>
    public static ushort Seen(ReadOnlySpan<byte> bytes, int next)
    {
        List<int> before = [];
        int bits = 0;
        while (next is HopByHop or Routing or Fragment or Authentication or NoNext or Destination)
        {
            if (next == NoNext)
            {
                bits |= 1;
                break;
            }

            bits |= (next == HopByHop && before.Count > 0 ? 0 : Bit(next)) | Disorder(before, next);
            before.Add(next);

            // All headers count in units of 8 bytes here, also the two that do not.
            if (bytes.Length < 2)
            {
                break;
            }

            next = bytes[0];
            int length = (bytes[1] + 1) * 8;
            bytes = bytes[Math.Min(length, bytes.Length)..];
        }

        return (ushort)bits;
    }

    /// <summary>Walks to the first header that is none of them.</summary>
    /// <param name="bytes">The frame.</param>
    /// <param name="at">Start of the first extension header in, start of the last header out.</param>
    /// <param name="next">Kind of the first one.</param>
    /// <param name="fragment">0 none, 1 first, 2 later.</param>
    /// <returns>The protocol.</returns>
    public static int Last(ReadOnlySpan<byte> bytes, ref int at, int next, out byte fragment)
    {
        fragment = 0;
        while (next is HopByHop or Routing or Fragment or Authentication or Destination)
        {
            int left = bytes.Length - at;
            if (left < 2 || (next is Routing or Fragment && left < 4))
            {
                // The fragment header was recognized even if its offset is missing.
                fragment = next == Fragment && left >= 2 ? (byte)1 : fragment;
                return Broken;
            }

            int following = bytes[at];
            int length = next switch
            {
                Fragment => 8,
                Authentication => (bytes[at + 1] + 2) * 4,
                _ => (bytes[at + 1] + 1) * 8,
            };
            if (next == Fragment)
            {
                fragment = 1;
                if (((bytes[at + 2] << 8) | bytes[at + 3]) >> 3 != 0)
                {
                    bool goesOn = following is HopByHop or Routing or Fragment or Authentication or Destination;
                    fragment = goesOn ? (byte)1 : (byte)2;
                    return Broken;
                }
            }

            at += length;
            next = following;
        }

        return at > bytes.Length ? Broken : next;
    }

    private static int Bit(int header) => header switch
    {
        Authentication => 4,
        Destination => 8,
        Fragment => 16,
        Routing => 32,
        _ => 64,
    };

    // RFC 8200 section 4.1: hop-by-hop, destination, routing, fragment, authentication, destination.
    private static int Disorder(List<int> before, int header)
    {
        int destinations = before.Count(other => other == Destination);

        // Hop-by-hop counts only where it is first, as OpenFlow has it.
        bool repeated = header switch
        {
            Destination => destinations >= 2,
            HopByHop => before.Count > 0 && before[0] == HopByHop,
            _ => before.Contains(header),
        };
        bool unordered = header switch
        {
            HopByHop => before.Count > 0,
            Destination when destinations >= 2 => false,
            Destination when destinations == 1 => false,
            Destination => before.Exists(other => other is not (HopByHop or Routing)),
            _ => destinations >= 2 || before.Exists(other => !MayPrecede(other, header)),
        };
        return (repeated ? 128 : 0) | (unordered ? 256 : 0);
    }

    private static bool MayPrecede(int other, int header) => header switch
    {
        Routing => other is HopByHop or Destination,
        Fragment => other is HopByHop or Destination or Routing,
        _ => other is HopByHop or Destination or Routing or Fragment,
    };
}
