using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Engine.Control;
using Engine.Flows;
using Engine.Primitives;
using Engine.Protocols;
using Engine.Text;

namespace Engine.Cli;

/// <summary>The filter of dump-flows: fields as ovs-ofctl has them (<c>tcp,tp_src=100</c>). A flow stays that would match a packet with these fields.</summary>
/// <remarks>As in ovs-dpctl a filter has no masks: which bits are compared says the flow.</remarks>
internal sealed class DpctlFilter
{
    private static readonly FrozenDictionary<string, (ushort EtherType, byte? IpProtocol)> Protocols = new Dictionary<string, (ushort, byte?)>
    {
        ["ip"] = (EtherTypes.Ipv4, null),
        ["ipv6"] = (EtherTypes.Ipv6, null),
        ["arp"] = (EtherTypes.Arp, null),
        ["rarp"] = (EtherTypes.Rarp, null),
        ["mpls"] = (EtherTypes.Mpls, null),
        ["mplsm"] = (EtherTypes.MplsMulticast, null),
        ["icmp"] = (EtherTypes.Ipv4, IpProtocols.Icmp),
        ["icmp6"] = (EtherTypes.Ipv6, IpProtocols.Icmpv6),
        ["tcp"] = (EtherTypes.Ipv4, IpProtocols.Tcp),
        ["tcp6"] = (EtherTypes.Ipv6, IpProtocols.Tcp),
        ["udp"] = (EtherTypes.Ipv4, IpProtocols.Udp),
        ["udp6"] = (EtherTypes.Ipv6, IpProtocols.Udp),
        ["sctp"] = (EtherTypes.Ipv4, IpProtocols.Sctp),
        ["sctp6"] = (EtherTypes.Ipv6, IpProtocols.Sctp),
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Field> Fields = new Dictionary<string, Field>
    {
        ["recirc_id"] = new(Number<uint>(uint.MaxValue, static (ref key, value) => key.RecirculationId = value)),
        ["dp_hash"] = new(Number<uint>(uint.MaxValue, static (ref key, value) => key.DatapathHash = value)),
        ["skb_priority"] = new(Number<uint>(uint.MaxValue, static (ref key, value) => key.SkbPriority = value)),
        ["pkt_mark"] = new(Number<uint>(uint.MaxValue, static (ref key, value) => key.SkbMark = value)),
        ["ct_zone"] = new(Number<ushort>(ushort.MaxValue, static (ref key, value) => key.ConntrackZone = value)),
        ["ct_mark"] = new(Number<uint>(uint.MaxValue, static (ref key, value) => key.ConntrackMark = value)),
        ["tun_id"] = new(Number<ulong>(ulong.MaxValue, static (ref key, value) => key.TunnelId = value)),
        ["tun_src"] = new(Ipv4(static (ref key, value) => key.TunnelIpv4Source = value)),
        ["tun_dst"] = new(Ipv4(static (ref key, value) => key.TunnelIpv4Destination = value)),
        ["tun_ipv6_src"] = new(Ipv6(static (ref key, value) => key.TunnelIpv6Source = value)),
        ["tun_ipv6_dst"] = new(Ipv6(static (ref key, value) => key.TunnelIpv6Destination = value)),
        ["dl_src"] = new(Ethernet(static (ref key, value) => key.EthernetSource = value)),
        ["dl_dst"] = new(Ethernet(static (ref key, value) => key.EthernetDestination = value)),
        ["dl_type"] = new(Number<ushort>(ushort.MaxValue, static (ref key, value) => key.EtherType = value)),
        ["dl_vlan"] = new(Number<ushort>(0xfff, static (ref key, value) => key.VlanTci = (ushort)(value | 0x1000))),
        ["mpls_label"] = new(Number<uint>(0xfffff, static (ref key, value) => key.MplsLabel0 = value << 12), IsMpls),
        ["nw_src"] = new(Ipv4(static (ref key, value) => key.Ipv4Source = value), IsIpv4),
        ["nw_dst"] = new(Ipv4(static (ref key, value) => key.Ipv4Destination = value), IsIpv4),
        ["ipv6_src"] = new(Ipv6(static (ref key, value) => key.Ipv6Source = value), IsIpv6),
        ["ipv6_dst"] = new(Ipv6(static (ref key, value) => key.Ipv6Destination = value), IsIpv6),
        ["ipv6_label"] = new(Number<uint>(0xfffff, static (ref key, value) => key.Ipv6Label = value), IsIpv6),
        ["nw_proto"] = new(Number<byte>(byte.MaxValue, static (ref key, value) => key.IpProtocol = value), IsIp),
        ["nw_ttl"] = new(Number<byte>(byte.MaxValue, static (ref key, value) => key.IpTtl = value), IsIp),
        ["arp_op"] = new(Number<byte>(byte.MaxValue, static (ref key, value) => key.IpProtocol = value), IsArp),
        ["arp_sha"] = new(Ethernet(static (ref key, value) => key.ArpSenderHardware = value), IsArp),
        ["arp_tha"] = new(Ethernet(static (ref key, value) => key.ArpTargetHardware = value), IsArp),
        ["arp_spa"] = new(Ipv4(static (ref key, value) => key.Ipv4Source = value), IsArp),
        ["arp_tpa"] = new(Ipv4(static (ref key, value) => key.Ipv4Destination = value), IsArp),
        ["tp_src"] = new(Number<ushort>(ushort.MaxValue, static (ref key, value) => key.TransportSource = value), HasPorts),
        ["tp_dst"] = new(Number<ushort>(ushort.MaxValue, static (ref key, value) => key.TransportDestination = value), HasPorts),
        ["icmp_type"] = new(Number<byte>(byte.MaxValue, static (ref key, value) => key.TransportSource = value), IsIcmp),
        ["icmp_code"] = new(Number<byte>(byte.MaxValue, static (ref key, value) => key.TransportDestination = value), IsIcmp),
        ["nd_target"] = new(Ipv6(static (ref key, value) => key.NdTarget = value), IsIcmpv6),
    }.ToFrozenDictionary();

    // Other names of the same.
    private static readonly FrozenDictionary<string, string> Aliases = new Dictionary<string, string>
    {
        ["tunnel_id"] = "tun_id",
        ["eth_src"] = "dl_src",
        ["eth_dst"] = "dl_dst",
        ["eth_type"] = "dl_type",
        ["ip_src"] = "nw_src",
        ["ip_dst"] = "nw_dst",
        ["ip_proto"] = "nw_proto",
        ["tcp_src"] = "tp_src",
        ["tcp_dst"] = "tp_dst",
        ["udp_src"] = "tp_src",
        ["udp_dst"] = "tp_dst",
        ["sctp_src"] = "tp_src",
        ["sctp_dst"] = "tp_dst",
        ["icmpv6_type"] = "icmp_type",
        ["icmpv6_code"] = "icmp_code",
    }.ToFrozenDictionary();

    private readonly FlowKey _key;
    private readonly FlowKey _mask;

    private DpctlFilter(in FlowKey key, in FlowKey mask)
    {
        _key = key;
        _mask = mask;
    }

    // Sets the field of key and mask; false when the value is none.
    private delegate bool SetField(string value, ref FlowKey key, ref FlowKey mask);

    private delegate void Assign<T>(ref FlowKey key, T value);

    /// <summary>Reads a filter.</summary>
    /// <param name="text">What is behind <c>filter=</c>.</param>
    /// <param name="ports">Names of ports.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="error">Why it is none.</param>
    public static bool TryParse(string text, IPortNames ports, [NotNullWhen(true)] out DpctlFilter? filter, [NotNullWhen(false)] out string? error)
    {
        filter = null;
        FlowKey key = default;
        FlowKey mask = default;
        HashSet<string> seen = [];
        foreach (string word in text.Split([',', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? word : word[..equals];
            string value = equals < 0 ? string.Empty : word[(equals + 1)..];
            if (equals < 0 && Protocols.TryGetValue(name, out (ushort EtherType, byte? IpProtocol) protocol))
            {
                if (!seen.Add("dl_type"))
                {
                    error = $"{text}: Ethernet type set multiple times";
                    return false;
                }

                key.EtherType = protocol.EtherType;
                mask.EtherType = ushort.MaxValue;
                if (protocol.IpProtocol is { } number)
                {
                    seen.Add("nw_proto");
                    key.IpProtocol = number;
                    mask.IpProtocol = byte.MaxValue;
                }

                continue;
            }

            string known = Aliases.GetValueOrDefault(name, name);
            bool isPort = known == "in_port";
            Field field = default;
            error = !isPort && !Fields.TryGetValue(known, out field) ? $"{text}: unknown field {name}"
                : field.Needs is { } isThere && !isThere(key.EtherType.Value, key.IpProtocol) ? $"{text}: prerequisites not met for setting {name}"
                : !seen.Add(known) ? $"{text}: field {name} set multiple times"
                : !(isPort ? TrySetPort(value, ports, ref key, ref mask) : field.Set(value, ref key, ref mask)) ? $"{text}: bad value for {name} ({value})"
                : null;
            if (error is not null)
            {
                return false;
            }
        }

        key.Segments = key.FindSegments();
        mask.Segments = mask.FindSegments();
        filter = new DpctlFilter(in key, in mask);
        error = null;
        return true;
    }

    /// <summary>Whether a flow would match the packet of the filter, as far as the filter says.</summary>
    public bool Takes(FlowEntry flow)
    {
        Refusal refusal = flow.Mask.IsEmpty
            ? FlowKey.TryParseNetlinkExact(flow.Key.Span, out FlowKey key, out FlowKey mask)
            : FlowKey.TryParseNetlink(flow.Key.Span, flow.Mask.Span, out key, out mask);
        if (refusal.IsRefused)
        {
            return false;
        }

        // What the flow leaves open is zero on both sides: a filter for it meets flows of any value.
        FlowKey.MaskedCopy(in _mask, in mask, out FlowKey compared);
        FlowKey.MaskedCopy(in _key, in compared, out FlowKey wanted);
        return FlowKey.MaskedEquals(in key, in compared, in wanted);
    }

    private static bool TrySetPort(string value, IPortNames ports, ref FlowKey key, ref FlowKey mask)
    {
        bool isPort = uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) || ports.TryGetNumber(value, out number);
        key.InPort = number;
        mask.InPort = uint.MaxValue;
        return isPort;
    }

    // What a packet has to be for a field to be there. A filter says it first.
    private static bool IsIpv4(ushort etherType, byte protocol) => etherType == EtherTypes.Ipv4;

    private static bool IsIpv6(ushort etherType, byte protocol) => etherType == EtherTypes.Ipv6;

    private static bool IsIp(ushort etherType, byte protocol) => etherType is EtherTypes.Ipv4 or EtherTypes.Ipv6;

    private static bool IsArp(ushort etherType, byte protocol) => etherType is EtherTypes.Arp or EtherTypes.Rarp;

    private static bool IsMpls(ushort etherType, byte protocol) => etherType is EtherTypes.Mpls or EtherTypes.MplsMulticast;

    private static bool HasPorts(ushort etherType, byte protocol) => IsIp(etherType, protocol) && protocol is (IpProtocols.Tcp or IpProtocols.Udp or IpProtocols.Sctp);

    private static bool IsIcmp(ushort etherType, byte protocol) => (etherType == EtherTypes.Ipv4 && protocol == IpProtocols.Icmp) || IsIcmpv6(etherType, protocol);

    private static bool IsIcmpv6(ushort etherType, byte protocol) => etherType == EtherTypes.Ipv6 && protocol == IpProtocols.Icmpv6;

    private static SetField Number<T>(T ones, Assign<T> assign)
        where T : struct, IConvertible => (string text, ref FlowKey key, ref FlowKey mask) =>
    {
        bool isHexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (!ulong.TryParse(isHexadecimal ? text.AsSpan(2) : text, isHexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            || value > ones.ToUInt64(CultureInfo.InvariantCulture))
        {
            return false;
        }

        assign(ref key, (T)Convert.ChangeType(value, typeof(T), CultureInfo.InvariantCulture));
        assign(ref mask, ones);
        return true;
    };

    private static SetField Ethernet(Assign<EthernetAddress> assign) => (string text, ref FlowKey key, ref FlowKey mask) =>
    {
        assign(ref mask, EthernetAddress.Broadcast);
        bool isRead = EthernetAddress.TryParse(text, out EthernetAddress address);
        assign(ref key, address);
        return isRead;
    };

    private static SetField Ipv4(Assign<uint> assign) => (string text, ref FlowKey key, ref FlowKey mask) =>
    {
        if (!TryReadAddress(text, AddressFamily.InterNetwork, out byte[] bytes))
        {
            return false;
        }

        assign(ref key, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes));
        assign(ref mask, uint.MaxValue);
        return true;
    };

    private static SetField Ipv6(Assign<Ipv6Address> assign) => (string text, ref FlowKey key, ref FlowKey mask) =>
    {
        if (!TryReadAddress(text, AddressFamily.InterNetworkV6, out byte[] bytes))
        {
            return false;
        }

        assign(ref key, new Ipv6Address(bytes));
        bytes.AsSpan().Fill(byte.MaxValue);
        assign(ref mask, new Ipv6Address(bytes));
        return true;
    };

    private static bool TryReadAddress(string text, AddressFamily family, out byte[] bytes)
    {
        // 10.1 would do for .NET.
        bool isWhole = family != AddressFamily.InterNetwork || text.AsSpan().Count('.') == 3;
        bool isRead = IPAddress.TryParse(text, out IPAddress? address) && address.AddressFamily == family && isWhole;
        bytes = isRead ? address!.GetAddressBytes() : [];
        return isRead;
    }

    /// <summary>A field: how it is set, and what a packet has to be that has it; null for any.</summary>
    private readonly record struct Field(SetField Set, Func<ushort, byte, bool>? Needs = null);
}
