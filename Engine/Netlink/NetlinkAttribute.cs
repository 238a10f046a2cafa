using System.Runtime.InteropServices;

namespace Engine.Netlink;

/// <summary>One netlink attribute: 16-bit length and type in host order, then the payload, padded to 4 bytes (linux/netlink.h, struct nlattr).</summary>
public readonly ref struct NetlinkAttribute
{
    /// <summary>Bytes of the header.</summary>
    public const int HeaderSize = 4;

    /// <summary>NLA_F_NESTED: the payload is attributes.</summary>
    public const int NestedFlag = 0x8000;

    /// <summary>NLA_TYPE_MASK: the type without the flags NLA_F_NESTED and NLA_F_NET_BYTEORDER.</summary>
    public const int TypeMask = 0x3fff;

    internal NetlinkAttribute(int type, ReadOnlySpan<byte> payload, int offset)
    {
        Type = type;
        Payload = payload;
        Offset = offset;
    }

    /// <summary>The type without flags.</summary>
    public int Type { get; }

    /// <summary>The payload without padding.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Offset of the attribute's header from the start of what was walked.</summary>
    public int Offset { get; }

    /// <summary>The payload up to its first NUL.</summary>
    public ReadOnlySpan<byte> Text => Payload.IndexOf((byte)0) is >= 0 and int end ? Payload[..end] : Payload;

    /// <summary>The payload as attributes.</summary>
    public NetlinkAttributes Nested => new(Payload, Offset + HeaderSize);

    /// <summary>The payload as a host-order number or struct.</summary>
    /// <exception cref="ArgumentException">The payload is shorter.</exception>
    public T Read<T>()
        where T : unmanaged => MemoryMarshal.Read<T>(Payload);
}
