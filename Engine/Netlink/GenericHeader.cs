using System.Runtime.InteropServices;

namespace Engine.Netlink;

/// <summary>struct genlmsghdr of linux/genetlink.h. 4 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GenericHeader
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 4;

    /// <summary>What to do, or what was done.</summary>
    public byte Command;

    /// <summary>Version of the family that the sender speaks.</summary>
    public byte Version;

    /// <summary>Zero.</summary>
    public ushort Reserved;
}
