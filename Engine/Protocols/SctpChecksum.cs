using System.Numerics;

namespace Engine.Protocols;

/// <summary>The CRC32c of SCTP, RFC 9260 section 6.8 and appendix A.</summary>
public static class SctpChecksum
{
    /// <summary>The checksum of a whole SCTP packet whose checksum field is zero, as the 32-bit number whose little-endian bytes are sent.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Append(uint.MaxValue, bytes);

    /// <summary>
    /// How the checksum changes when the first four bytes, the ports, are XORed with <paramref name="portsDifference"/>. A CRC is linear, so
    /// the payload need not be read, and an error that was in the checksum is kept.
    /// </summary>
    /// <param name="portsDifference">XOR of the old and new first four bytes, as they stand in memory on a little-endian machine.</param>
    /// <param name="length">Bytes of the SCTP packet, at least 4.</param>
    /// <returns>What to XOR to the checksum.</returns>
    public static uint Difference(uint portsDifference, int length)
    {
        uint crc = BitOperations.Crc32C(0u, portsDifference);
        int zeros = length - sizeof(uint);
        for (; zeros >= sizeof(ulong); zeros -= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, 0ul);
        }

        for (; zeros > 0; zeros--)
        {
            crc = BitOperations.Crc32C(crc, (byte)0);
        }

        return crc;
    }

    private static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return crc;
    }
}
