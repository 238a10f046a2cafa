using System.Buffers.Binary;
using Engine.Annotations;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Actions;

// Set and set_masked (the kernel's validate_set).
internal sealed partial class ActionCompiler
{
    private const byte Tcp = 6;
    private const byte Udp = 17;
    private const byte Sctp = 132;
    private const uint FlowLabelBits = 0x000f_ffff;

    // Fields of struct ovs_key_ipv4 and ovs_key_ipv6 that cannot be set.
    private const int Ipv4ProtocolOffset = 8;
    private const int Ipv4FragmentOffset = 11;
    private const int Ipv6LabelOffset = 32;
    private const int Ipv6ProtocolOffset = 36;
    private const int Ipv6FragmentOffset = 39;

    [Action(OvsActionAttribute.Set, "set")]
    private Refusal CompileSet(in NetlinkAttribute action, in PacketShape shape) => CompileSet(action, shape, isMasked: false);

    [Action(OvsActionAttribute.SetMasked, "set")]
    private Refusal CompileSetMasked(in NetlinkAttribute action, in PacketShape shape) => CompileSet(action, shape, isMasked: true);

    private Refusal CompileSet(in NetlinkAttribute action, in PacketShape shape, bool isMasked)
    {
        NetlinkAttributes inner = action.Nested;
        if (!inner.MoveNext() || !SetFieldArguments.FillsExactly(action.Payload, inner.Current.Payload))
        {
            return Refusal.Invalid("Set holds one key attribute", action.Offset);
        }

        NetlinkAttribute field = inner.Current;
        OvsKeyAttribute attribute = (OvsKeyAttribute)field.Type;
        if (attribute == OvsKeyAttribute.Tunnel && !isMasked)
        {
            return CompileSetTunnel(action, field);
        }

        int size = SizeOfSettable(attribute);
        if (size == 0)
        {
            return Refusal.Invalid($"{attribute} cannot be set", field.Offset);
        }

        // As in the kernel, an odd last byte behind value and mask goes unnoticed.
        if (field.Payload.Length / (isMasked ? 2 : 1) != size)
        {
            return Refusal.Invalid($"{attribute} is {size} bytes{(isMasked ? ", and as many of mask" : string.Empty)}", field.Offset);
        }

        ReadOnlySpan<byte> value = field.Payload[..size];
        Span<byte> mask = stackalloc byte[size];
        if (isMasked)
        {
            field.Payload.Slice(size, size).CopyTo(mask);
            if (!SetFieldArguments.IsUnderMask(value, mask))
            {
                return Refusal.Invalid($"The value for {attribute} has bits outside of its mask", field.Offset);
            }
        }
        else
        {
            mask.Fill(byte.MaxValue);
        }

        return CheckSettable(attribute, value, mask, isMasked, shape) is { } reason
            ? Refusal.Invalid(reason, field.Offset)
            : AddSet(action, attribute, value, mask);
    }

    private static int SizeOfSettable(OvsKeyAttribute attribute) => attribute switch
    {
        OvsKeyAttribute.Priority or OvsKeyAttribute.SkbMark or OvsKeyAttribute.ConntrackMark or OvsKeyAttribute.Tcp or OvsKeyAttribute.Udp
            or OvsKeyAttribute.Sctp or OvsKeyAttribute.Mpls => 4,
        OvsKeyAttribute.Ethernet or OvsKeyAttribute.Ipv4 => 12,
        OvsKeyAttribute.ConntrackLabels => 16,
        OvsKeyAttribute.Ipv6 => 40,
        _ => 0,
    };

    /// <summary>Whether the packet has the field, and the mask leaves alone what cannot be set.</summary>
    /// <returns>Why not, or null.</returns>
    private string? CheckSettable(OvsKeyAttribute attribute, ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask, bool isMasked, in PacketShape shape) => attribute switch
    {
        OvsKeyAttribute.Ethernet when !shape.HasEthernet => "Set of addresses needs an Ethernet header",
        OvsKeyAttribute.Ipv4 when !shape.IsIpv4 => "Set of ipv4 needs an IPv4 header",
        OvsKeyAttribute.Ipv4 => CheckIpFields(value, mask, Ipv4ProtocolOffset, Ipv4FragmentOffset, isMasked),
        OvsKeyAttribute.Ipv6 when !shape.IsIpv6 => "Set of ipv6 needs an IPv6 header",
        OvsKeyAttribute.Ipv6 => CheckIpFields(value, mask, Ipv6ProtocolOffset, Ipv6FragmentOffset, isMasked) ?? CheckFlowLabel(value, mask, isMasked),
        OvsKeyAttribute.Tcp when !shape.IsIp || _key.IpProtocol != Tcp => "Set of tcp needs a TCP header",
        OvsKeyAttribute.Udp when !shape.IsIp || _key.IpProtocol != Udp => "Set of udp needs a UDP header",
        OvsKeyAttribute.Sctp when !shape.IsIp || _key.IpProtocol != Sctp => "Set of sctp needs an SCTP header",
        OvsKeyAttribute.Mpls when !shape.IsMpls => "Set of mpls needs a label",
        _ => null,
    };

    private string? CheckIpFields(ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask, int protocol, int fragment, bool isMasked)
    {
        if (isMasked)
        {
            return mask[protocol] != 0 || mask[fragment] != 0 ? "Protocol and fragment type cannot be set" : null;
        }

        return value[protocol] != _key.IpProtocol || value[fragment] != _key.IpFragment
            ? "Protocol and fragment type cannot be set and must be those of the flow"
            : null;
    }

    private static string? CheckFlowLabel(ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask, bool isMasked)
    {
        uint bits = BinaryPrimitives.ReadUInt32BigEndian(value[Ipv6LabelOffset..]);
        if (isMasked)
        {
            bits |= BinaryPrimitives.ReadUInt32BigEndian(mask[Ipv6LabelOffset..]);
        }

        return (bits & ~FlowLabelBits) != 0 ? "A flow label has 20 bits" : null;
    }

    private Refusal AddSet(in NetlinkAttribute action, OvsKeyAttribute attribute, ReadOnlySpan<byte> value, Span<byte> mask)
    {
        int offset;
        switch (attribute)
        {
            case OvsKeyAttribute.Ethernet:
                // struct ovs_key_ethernet has the source first, the packet the destination.
                offset = AppendAligned(value[6..]);
                _arguments.Append(value[..6]);
                _arguments.Append(mask[6..]);
                _arguments.Append(mask[..6]);
                break;
            case OvsKeyAttribute.Ipv6:
                mask[Ipv6LabelOffset] = 0;
                mask[Ipv6LabelOffset + 1] &= 0x0f;
                goto default;
            default:
                offset = AppendAligned(value);
                _arguments.Append(mask);
                break;
        }

        ActionOpcode opcode = attribute switch
        {
            OvsKeyAttribute.Ethernet => ActionOpcode.SetEthernet,
            OvsKeyAttribute.Ipv4 => ActionOpcode.SetIpv4,
            OvsKeyAttribute.Ipv6 => ActionOpcode.SetIpv6,
            OvsKeyAttribute.Tcp => ActionOpcode.SetTcp,
            OvsKeyAttribute.Udp => ActionOpcode.SetUdp,
            OvsKeyAttribute.Sctp => ActionOpcode.SetSctp,
            OvsKeyAttribute.Mpls => ActionOpcode.SetMpls,
            OvsKeyAttribute.Priority => ActionOpcode.SetPriority,
            OvsKeyAttribute.SkbMark => ActionOpcode.SetMark,
            _ => ActionOpcode.SetConntrackField,
        };
        _steps.Add(new ActionStep { Opcode = opcode, Offset = offset });
        PutSet(action, attribute);
        return Refusal.None;
    }

    /// <summary>Shows a set action as the kernel does: the attribute numbers without flags, the padding zero.</summary>
    private void PutSet(in NetlinkAttribute action, OvsKeyAttribute attribute)
    {
        int start = _attributes.BeginNested(action.Type);
        _attributes.PutAttribute((int)attribute, FirstPayload(action));
        _attributes.EndNested(start);
    }

    private static ReadOnlySpan<byte> FirstPayload(in NetlinkAttribute action)
    {
        NetlinkAttributes inner = action.Nested;
        return inner.MoveNext() ? inner.Current.Payload : default;
    }

    private Refusal CompileSetTunnel(in NetlinkAttribute action, in NetlinkAttribute field)
    {
        FlowKey tunnel = default;
        Refusal refusal = FlowKey.TryParseAttribute(OvsKeyAttribute.Tunnel, field.Payload, isMask: false, ref tunnel);
        if (refusal.IsRefused)
        {
            return refusal with { Offset = field.Offset };
        }

        if ((tunnel.TunnelFlags & TunnelKeyFlags.GeneveOptions) != 0 && tunnel.TunnelOptionsLength != 0)
        {
            if (!TryCheckGeneveOptions(((ReadOnlySpan<byte>)tunnel.TunnelOptions)[..tunnel.TunnelOptionsLength], out bool hasCritical))
            {
                return Refusal.Invalid("A Geneve option reaches past the end of the options", field.Offset);
            }

            tunnel.TunnelFlags |= hasCritical ? TunnelKeyFlags.CriticalOption : TunnelKeyFlags.None;
        }

        _steps.Add(new ActionStep { Opcode = ActionOpcode.SetTunnel, Argument = (uint)_objects.Count });
        _objects.Add(new TunnelKey(tunnel));

        // The kernel parses the key and writes it anew: in its own order, and with what it adds.
        Span<byte> buffer = stackalloc byte[MaximumTunnelSize];
        NetlinkWriter writer = new(buffer);
        FlowKey.WriteTunnel(tunnel, (int)OvsKeyAttribute.Tunnel, ref writer);
        _attributes.PutAttribute(action.Type, writer.Written);
        return Refusal.None;
    }

    // The kernel's validate_geneve_opts. An option is four bytes, its class, type and length in words, and its data.
    private static bool TryCheckGeneveOptions(ReadOnlySpan<byte> options, out bool hasCritical)
    {
        const int Header = 4, TypeOffset = 2, LengthOffset = 3, LengthMask = 31;
        hasCritical = false;
        while (options.Length >= Header)
        {
            int length = Header + ((options[LengthOffset] & LengthMask) * 4);
            if (length > options.Length)
            {
                return false;
            }

            hasCritical |= (options[TypeOffset] & GeneveHeader.CriticalType) != 0;
            options = options[length..];
        }

        return true;
    }
}
