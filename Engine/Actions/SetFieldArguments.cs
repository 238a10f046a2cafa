namespace Engine.Actions;

/// <summary>The payload of set and set_masked: one key attribute, for set_masked with its mask behind the value.</summary>
internal static class SetFieldArguments
{
    /// <summary>Whether an attribute with this payload, padded, is all there is in <paramref name="container"/>.</summary>
    public static bool FillsExactly(ReadOnlySpan<byte> container, ReadOnlySpan<byte> payload) =>
        container.Length == ((Netlink.NetlinkAttribute.HeaderSize + payload.Length + 3) & ~3);

    /// <summary>Whether the value has no bit where its mask has none (the kernel's validate_masked).</summary>
    public static bool IsUnderMask(ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask)
    {
        for (int i = 0; i < value.Length; i++)
        {
            if ((value[i] & ~mask[i]) != 0)
            {
                return false;
            }
        }

        return true;
    }
}
