namespace Engine.Tests.Oracles;

/// <summary>CRC32C (Castagnoli), RFC 9260 appendix A, a bit at a time.</summary>
internal static class ByteCrc32C
{
    /// <summary>The checksum that SCTP stores little-endian, its own field being zero.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0xffffffff;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0x82f63b78);
            }
        }

        return ~crc;
    }
}
