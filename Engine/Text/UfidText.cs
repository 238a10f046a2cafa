using System.Buffers.Binary;
using System.Text;
using Engine.Flows;

namespace Engine.Text;

/// <summary>The text form of a flow id: <c>00112233-4455-6677-8899-aabbccddeeff</c>, four 32-bit numbers of the host's byte order.</summary>
/// <remarks>Threads: no state.</remarks>
public static class UfidText
{
    /// <summary>Characters of a UFID.</summary>
    public const int Length = 36;

    /// <summary>Reads a UFID of 36 characters, without the prefix <c>ufid:</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Ufid ufid)
    {
        ufid = default;
        if (text.Length != Length)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[Ufid.MaximumLength];
        bytes.Clear();
        int digits = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (i is 8 or 13 or 18 or 23)
            {
                if (text[i] != '-')
                {
                    return false;
                }

                continue;
            }

            int digit = HexText.Digit(text[i]);
            if (digit < 0)
            {
                return false;
            }

            bytes[digits / 2] |= (byte)(digit << (digits % 2 == 0 ? 4 : 0));
            digits++;
        }

        SwapWords(bytes);
        ufid = Ufid.FromBytes(bytes);
        return true;
    }

    /// <summary>Appends a UFID, without the prefix <c>ufid:</c>.</summary>
    public static void Format(StringBuilder text, Ufid ufid)
    {
        Span<byte> bytes = stackalloc byte[Ufid.MaximumLength];
        bytes.Clear();
        ufid.CopyTo(bytes);
        SwapWords(bytes);
        text.AppendBytes(bytes[..4]).Append('-').AppendBytes(bytes[4..6]).Append('-').AppendBytes(bytes[6..8]).Append('-')
            .AppendBytes(bytes[8..10]).Append('-').AppendBytes(bytes[10..]);
    }

    // The words stand in memory in host order, which is little-endian as for all netlink bytes here.
    private static void SwapWords(Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i += 4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes[i..], BinaryPrimitives.ReadUInt32LittleEndian(bytes[i..]));
        }
    }
}
