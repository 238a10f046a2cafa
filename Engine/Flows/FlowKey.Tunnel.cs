using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Flows;

// The nested attributes of a tunnel: the kernel's ip_tun_from_nlattr and ip_tun_to_nlattr.
public partial struct FlowKey
{
    private const byte FamilyIpv4 = 2;
    private const byte FamilyIpv6 = 10;
    private const int VxlanGroupPolicy = 1;
    private const int VxlanMetadataSize = 4;
    private const int ErspanMetadataSize = 12;
    private const int MaximumTunnelOptions = 255;

    /// <summary>The tunnel segment: all fields of the outer header but the options.</summary>
    // In bounds: the segment takes 64 bytes from its first field on, which a test holds it to.
    internal Vector512<byte> Tunnel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        readonly get => Unaligned.ReinterpretReadOnly<Be64, Vector512<byte>>(in TunnelId);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private set => Unaligned.Store(ref Unaligned.Reinterpret<Be64, byte>(ref TunnelId), 0, value);
    }

    /// <summary>Writes the tunnel fields and options of a key, as OVS_PACKET_ATTR_EGRESS_TUN_KEY and set(tunnel) carry them.</summary>
    /// <param name="key">The key.</param>
    /// <param name="attribute">Number of the outer attribute.</param>
    /// <param name="writer">Where to.</param>
    public static void WriteTunnel(in FlowKey key, int attribute, ref NetlinkWriter writer) =>
        WriteTunnel(in key, in key, attribute, ref writer);

    /// <summary>Makes the key one of a packet that came by a tunnel, whose outer header's fields are to be filled in. Other metadata is left to extraction.</summary>
    internal void BeginTunnel()
    {
        if ((Segments & (FlowKeySegments.Conntrack | FlowKeySegments.TunnelOptions)) != 0)
        {
            ClearSegments(FlowKeySegments.Conntrack | FlowKeySegments.TunnelOptions);
        }

        Tunnel = Vector512<byte>.Zero;
        Segments |= FlowKeySegments.Tunnel;
    }

    /// <summary><see cref="BeginTunnel"/> with the fields of another key, whose header had no options.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void RepeatTunnel(Vector512<byte> tunnel)
    {
        if ((Segments & ~FlowKeySegments.Tunnel) != 0)
        {
            BeginTunnel();
        }

        Tunnel = tunnel;
        Segments |= FlowKeySegments.Tunnel;
    }

    /// <summary>Whether the packet of another key, which also came by a tunnel, had the same outer header.</summary>
    internal readonly bool HasTunnelOf(in FlowKey other)
    {
        ReadOnlySpan<byte> options = TunnelOptions, others = other.TunnelOptions;
        return Tunnel == other.Tunnel && options[..TunnelOptionsLength].SequenceEqual(others[..TunnelOptionsLength]);
    }

    /// <summary>Gives the key of a packet that came by a tunnel the options of its header.</summary>
    internal void SetTunnelOptions(ReadOnlySpan<byte> options, TunnelKeyFlags kind)
    {
        if (options.IsEmpty)
        {
            return;
        }

        Segments |= FlowKeySegments.TunnelOptions;
        options.CopyTo(TunnelOptions);
        TunnelOptionsLength = (byte)options.Length;
        TunnelFlags |= kind;
    }

    private static void WriteTunnel(in FlowKey key, in FlowKey output, bool isMask, ref NetlinkWriter writer)
    {
        if (key.TunnelProtocol != 0 || isMask)
        {
            WriteTunnel(in key, in output, (int)OvsKeyAttribute.Tunnel, ref writer);
        }
    }

    private static void WriteTunnel(in FlowKey key, in FlowKey output, int attribute, ref NetlinkWriter writer)
    {
        int nested = writer.BeginNested(attribute);
        TunnelKeyFlags flags = output.TunnelFlags;
        if ((flags & TunnelKeyFlags.Key) != 0)
        {
            writer.Put((int)OvsTunnelKeyAttribute.Id, in output.TunnelId);
        }

        switch (key.TunnelProtocol)
        {
            case FamilyIpv4:
                WriteUnlessZero(OvsTunnelKeyAttribute.Ipv4Source, in output.TunnelIpv4Source, ref writer);
                WriteUnlessZero(OvsTunnelKeyAttribute.Ipv4Destination, in output.TunnelIpv4Destination, ref writer);
                break;
            case FamilyIpv6:
                WriteUnlessZero(OvsTunnelKeyAttribute.Ipv6Source, in output.TunnelIpv6Source, ref writer);
                WriteUnlessZero(OvsTunnelKeyAttribute.Ipv6Destination, in output.TunnelIpv6Destination, ref writer);
                break;
        }

        WriteUnlessZero(OvsTunnelKeyAttribute.Tos, in output.TunnelTos, ref writer);
        writer.Put((int)OvsTunnelKeyAttribute.Ttl, in output.TunnelTtl);
        WriteFlag(OvsTunnelKeyAttribute.DontFragment, (flags & TunnelKeyFlags.DontFragment) != 0, ref writer);
        WriteFlag(OvsTunnelKeyAttribute.Checksum, (flags & TunnelKeyFlags.Checksum) != 0, ref writer);
        WriteUnlessZero(OvsTunnelKeyAttribute.TransportSource, in output.TunnelTransportSource, ref writer);
        WriteUnlessZero(OvsTunnelKeyAttribute.TransportDestination, in output.TunnelTransportDestination, ref writer);
        WriteFlag(OvsTunnelKeyAttribute.Oam, (flags & TunnelKeyFlags.Oam) != 0, ref writer);
        WriteTunnelOptions(in output, key.TunnelOptionsLength, ref writer);
        writer.EndNested(nested);
    }

    private static void WriteTunnelOptions(in FlowKey output, int length, ref NetlinkWriter writer)
    {
        if (length == 0)
        {
            return;
        }

        ReadOnlySpan<byte> all = output.TunnelOptions;
        ReadOnlySpan<byte> options = all[..length];
        if ((output.TunnelFlags & TunnelKeyFlags.GeneveOptions) != 0)
        {
            writer.Put((int)OvsTunnelKeyAttribute.GeneveOptions, options);
        }
        else if ((output.TunnelFlags & TunnelKeyFlags.VxlanOptions) != 0)
        {
            int nested = writer.BeginNested((int)OvsTunnelKeyAttribute.VxlanOptions);
            writer.Put(VxlanGroupPolicy, all[..VxlanMetadataSize]);
            writer.EndNested(nested);
        }
        else if ((output.TunnelFlags & TunnelKeyFlags.ErspanOptions) != 0)
        {
            writer.Put((int)OvsTunnelKeyAttribute.ErspanOptions, options);
        }
    }

    private static void WriteUnlessZero<T>(OvsTunnelKeyAttribute attribute, in T value, ref NetlinkWriter writer)
        where T : unmanaged, IEquatable<T>
    {
        if (!value.Equals(default))
        {
            writer.Put((int)attribute, in value);
        }
    }

    private static void WriteFlag(OvsTunnelKeyAttribute attribute, bool isSet, ref NetlinkWriter writer)
    {
        if (isSet)
        {
            writer.Put((int)attribute, 0);
        }
    }

    // Fields of the outer header that count in an exact match although user space leaves them out when zero.
    private void MatchTunnelExactly(in FlowKey key)
    {
        TunnelId = Be64.FromRaw(ulong.MaxValue);
        TunnelTos = 0xff;
        TunnelTtl = 0xff;
        TunnelTransportSource = 0xffff;
        TunnelTransportDestination = 0xffff;
        if (key.TunnelProtocol == FamilyIpv6)
        {
            TunnelIpv6Source = Ipv6Address.AllOnes;
            TunnelIpv6Destination = Ipv6Address.AllOnes;
        }
        else
        {
            TunnelIpv4Source = uint.MaxValue;
            TunnelIpv4Destination = uint.MaxValue;
        }
    }

    private static Refusal ParseTunnel(ReadOnlySpan<byte> payload, int offset, bool isMask, in FlowKey key, ref FlowKey target)
    {
        TunnelKeyFlags flags = TunnelKeyFlags.None;
        bool hasTtl = false;
        bool isIpv4 = false;
        bool isIpv6 = false;
        bool isBridgeMode = false;
        int end = 0;
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(payload, offset))
        {
            end = attribute.Offset - offset + NetlinkAttribute.HeaderSize + attribute.Payload.Length;
            Refusal refusal = CheckTunnelAttribute(attribute);
            if (refusal.IsRefused)
            {
                return refusal;
            }

            switch ((OvsTunnelKeyAttribute)attribute.Type)
            {
                case OvsTunnelKeyAttribute.Id:
                    target.TunnelId = attribute.Read<Be64>();
                    flags |= TunnelKeyFlags.Key;
                    break;
                case OvsTunnelKeyAttribute.Ipv4Source:
                    target.TunnelIpv4Source = attribute.Read<Be32>();
                    isIpv4 = true;
                    break;
                case OvsTunnelKeyAttribute.Ipv4Destination:
                    target.TunnelIpv4Destination = attribute.Read<Be32>();
                    isIpv4 = true;
                    break;
                case OvsTunnelKeyAttribute.Ipv6Source:
                    target.TunnelIpv6Source = attribute.Read<Ipv6Address>();
                    isIpv6 = true;
                    break;
                case OvsTunnelKeyAttribute.Ipv6Destination:
                    target.TunnelIpv6Destination = attribute.Read<Ipv6Address>();
                    isIpv6 = true;
                    break;
                case OvsTunnelKeyAttribute.Tos:
                    target.TunnelTos = attribute.Payload[0];
                    break;
                case OvsTunnelKeyAttribute.Ttl:
                    target.TunnelTtl = attribute.Payload[0];
                    hasTtl = true;
                    break;
                case OvsTunnelKeyAttribute.DontFragment:
                    flags |= TunnelKeyFlags.DontFragment;
                    break;
                case OvsTunnelKeyAttribute.Checksum:
                    flags |= TunnelKeyFlags.Checksum;
                    break;
                case OvsTunnelKeyAttribute.Oam:
                    flags |= TunnelKeyFlags.Oam;
                    break;
                case OvsTunnelKeyAttribute.TransportSource:
                    target.TunnelTransportSource = attribute.Read<Be16>();
                    break;
                case OvsTunnelKeyAttribute.TransportDestination:
                    target.TunnelTransportDestination = attribute.Read<Be16>();
                    break;
                case OvsTunnelKeyAttribute.Ipv4InfoBridge:
                    isBridgeMode = true;
                    isIpv4 = true;
                    break;
                case OvsTunnelKeyAttribute.Padding:
                    break;
                default:
                    if ((flags & TunnelKeyFlags.AnyOptions) != 0)
                    {
                        return Refusal.Invalid("tunnel has options of more than one kind", attribute.Offset);
                    }

                    refusal = ParseTunnelOptions(attribute, isMask, in key, ref target, ref flags);
                    if (refusal.IsRefused)
                    {
                        return refusal;
                    }

                    break;
            }
        }

        target.TunnelFlags = flags;
        target.TunnelProtocol = isMask ? (byte)0xff : isIpv6 ? FamilyIpv6 : FamilyIpv4;
        if (end < payload.Length && payload.Length - ((end + 3) & ~3) > 0)
        {
            return Refusal.Invalid("tunnel ends in bytes that are no attribute", offset + end);
        }

        if (isIpv4 && isIpv6)
        {
            return Refusal.Invalid("tunnel has both IPv4 and IPv6 addresses", offset);
        }

        return isMask ? Refusal.None : CheckTunnel(in target, isIpv4, isIpv6, hasTtl, isBridgeMode, offset);
    }

    private static Refusal CheckTunnel(in FlowKey key, bool isIpv4, bool isIpv6, bool hasTtl, bool isBridgeMode, int offset)
    {
        if (!isIpv4 && !isIpv6)
        {
            return Refusal.Invalid("tunnel has no destination address", offset);
        }

        if (isIpv4 && isBridgeMode)
        {
            bool isBare = key.TunnelIpv4Source.Raw == 0 && key.TunnelIpv4Destination.Raw == 0
                && key.TunnelTransportSource.Raw == 0 && key.TunnelTransportDestination.Raw == 0
                && !hasTtl && key.TunnelTos == 0 && (key.TunnelFlags & ~TunnelKeyFlags.Key) == 0;
            return isBare ? Refusal.None : Refusal.Invalid("tunnel in bridge mode has more than an id", offset);
        }

        if (isIpv4 && key.TunnelIpv4Destination.Raw == 0)
        {
            return Refusal.Invalid("tunnel has a zero IPv4 destination", offset);
        }

        if (isIpv6 && key.TunnelIpv6Destination.IsZero)
        {
            return Refusal.Invalid("tunnel has a zero IPv6 destination", offset);
        }

        return hasTtl || isBridgeMode ? Refusal.None : Refusal.Invalid("tunnel has no ttl", offset);
    }

    private static Refusal CheckTunnelAttribute(NetlinkAttribute attribute)
    {
        int expected = (OvsTunnelKeyAttribute)attribute.Type switch
        {
            OvsTunnelKeyAttribute.Id => 8,
            OvsTunnelKeyAttribute.Ipv4Source or OvsTunnelKeyAttribute.Ipv4Destination => 4,
            OvsTunnelKeyAttribute.Tos or OvsTunnelKeyAttribute.Ttl => 1,
            OvsTunnelKeyAttribute.TransportSource or OvsTunnelKeyAttribute.TransportDestination => 2,
            OvsTunnelKeyAttribute.Ipv6Source or OvsTunnelKeyAttribute.Ipv6Destination => 16,
            OvsTunnelKeyAttribute.GeneveOptions or OvsTunnelKeyAttribute.VxlanOptions or OvsTunnelKeyAttribute.ErspanOptions => -1,
            OvsTunnelKeyAttribute.DontFragment or OvsTunnelKeyAttribute.Checksum or OvsTunnelKeyAttribute.Oam
                or OvsTunnelKeyAttribute.Padding or OvsTunnelKeyAttribute.Ipv4InfoBridge => 0,
            _ => -2,
        };
        if (expected == -2)
        {
            return Refusal.Invalid($"tunnel attribute {attribute.Type} is out of range: at most {(int)OvsTunnelKeyAttribute.Ipv4InfoBridge}", attribute.Offset);
        }

        return expected >= 0 && attribute.Payload.Length != expected
            ? Refusal.Invalid($"tunnel attribute {attribute.Type} has {attribute.Payload.Length} bytes instead of {expected}", attribute.Offset)
            : Refusal.None;
    }

    private static Refusal ParseTunnelOptions(NetlinkAttribute attribute, bool isMask, in FlowKey key, ref FlowKey target, ref TunnelKeyFlags flags)
    {
        ReadOnlySpan<byte> options = attribute.Payload;
        Span<byte> room = target.TunnelOptions;
        int length;
        switch ((OvsTunnelKeyAttribute)attribute.Type)
        {
            case OvsTunnelKeyAttribute.GeneveOptions:
                flags |= TunnelKeyFlags.GeneveOptions;
                length = options.Length;
                if (length > MaximumTunnelOptions || length % 4 != 0)
                {
                    return Refusal.Invalid($"tunnel has Geneve options of {length} bytes instead of a multiple of 4 up to {MaximumTunnelOptions}", attribute.Offset);
                }

                // Otherwise packets with the same options and further ones would match.
                if (isMask && key.TunnelOptionsLength != length)
                {
                    return Refusal.Invalid($"tunnel has Geneve options of {key.TunnelOptionsLength} bytes but their mask has {length}", attribute.Offset);
                }

                break;
            case OvsTunnelKeyAttribute.VxlanOptions:
                flags |= TunnelKeyFlags.VxlanOptions;
                length = VxlanMetadataSize;
                Refusal refusal = ParseVxlanOptions(attribute, room[..VxlanMetadataSize]);
                if (refusal.IsRefused)
                {
                    return refusal;
                }

                options = default;
                break;
            default:
                flags |= TunnelKeyFlags.ErspanOptions;
                length = ErspanMetadataSize;
                if (options.Length > MaximumTunnelOptions)
                {
                    return Refusal.Invalid($"tunnel has ERSPAN options of {options.Length} bytes instead of {length}", attribute.Offset);
                }

                // The kernel takes other lengths than the struct's and reads the struct so that it ends where the attribute ends.
                room[..length].Clear();
                options = options[^Math.Min(options.Length, length)..];
                room = room[(length - options.Length)..];
                break;
        }

        options.CopyTo(room);
        target.TunnelOptionsLength = isMask ? (byte)0xff : (byte)length;
        return Refusal.None;
    }

    private static Refusal ParseVxlanOptions(NetlinkAttribute options, Span<byte> groupPolicy)
    {
        groupPolicy.Clear();
        int end = 0;
        foreach (NetlinkAttribute attribute in options.Nested)
        {
            end = attribute.Offset - options.Offset - NetlinkAttribute.HeaderSize + ((NetlinkAttribute.HeaderSize + attribute.Payload.Length + 3) & ~3);
            if (attribute.Type != VxlanGroupPolicy)
            {
                return Refusal.Invalid($"tunnel has unknown VXLAN extension {attribute.Type}", attribute.Offset);
            }

            if (attribute.Payload.Length != VxlanMetadataSize)
            {
                return Refusal.Invalid($"tunnel has a VXLAN group policy of {attribute.Payload.Length} bytes instead of {VxlanMetadataSize}", attribute.Offset);
            }

            attribute.Payload.CopyTo(groupPolicy);
        }

        return end == options.Payload.Length
            ? Refusal.None
            : Refusal.Invalid("tunnel has VXLAN options that end in bytes that are no attribute", options.Offset);
    }
}
