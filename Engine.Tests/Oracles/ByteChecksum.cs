namespace Engine.Tests.Oracles;

/// <summary>The Internet checksum of RFC 1071, a byte at a time and with no trick.</summary>
internal static class ByteChecksum
{
    /// <summary>The one's complement of the one's complement sum, in host order. An odd last byte counts as the high half of a word.</summary>
    public static ushort Of(ReadOnlySpan<byte> bytes, uint sum = 0) => (ushort)~Fold(Sum(bytes, sum));

    /// <summary>Adds the 16-bit words of <paramref name="bytes"/> to <paramref name="sum"/>.</summary>
    public static uint Sum(ReadOnlySpan<byte> bytes, uint sum = 0)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            sum = Fold(sum + (i % 2 == 0 ? (uint)bytes[i] << 8 : bytes[i]));
        }

        return sum;
    }

    /// <summary>The sum over the pseudo-header of RFC 768, RFC 793 and RFC 8200: addresses, protocol, length.</summary>
    public static uint PseudoHeader(ReadOnlySpan<byte> addresses, byte protocol, int length) =>
        Fold(Sum(addresses) + protocol + ((uint)length >> 16) + ((uint)length & 0xffff));

    private static uint Fold(uint sum)
    {
        while (sum > 0xffff)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return sum;
    }
}
