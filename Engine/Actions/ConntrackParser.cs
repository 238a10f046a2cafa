using System.Runtime.InteropServices;
using System.Text;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Actions;

/// <summary>The arguments of a ct action from netlink attributes and back (the kernel's parse_ct, parse_nat, ovs_ct_action_to_attr).</summary>
internal static class ConntrackParser
{
    private const int HelperNameLength = 16;
    private const int TimeoutNameLength = 32;
    private const byte Tcp = 6;
    private const byte Udp = 17;

    // OVS_CT_ATTR_*
    private enum CtAttribute
    {
        Unspecified,
        Commit,
        Zone,
        Mark,
        Labels,
        Helper,
        Nat,
        ForceCommit,
        EventMask,
        Timeout,
    }

    // OVS_NAT_ATTR_*
    private enum NatAttribute
    {
        Unspecified,
        Source,
        Destination,
        AddressMinimum,
        AddressMaximum,
        PortMinimum,
        PortMaximum,
        Persistent,
        PortHash,
        PortRandom,
    }

    public static Refusal TryParse(in NetlinkAttribute action, in FlowKey key, out ConntrackArguments arguments)
    {
        arguments = new ConntrackArguments { IsIpv6 = key.EtherType.Value == 0x86dd };
        if (key.EtherType.Value is not (0x0800 or 0x86dd))
        {
            return Refusal.Invalid("Ct needs a flow of IPv4 or IPv6", action.Offset);
        }

        NetlinkAttributes walk = action.Nested;
        while (walk.MoveNext())
        {
            NetlinkAttribute argument = walk.Current;
            (int minimum, int maximum) = Lengths((CtAttribute)argument.Type);
            if (argument.Payload.Length < minimum || argument.Payload.Length > maximum)
            {
                return Refusal.Invalid($"Ct: attribute {argument.Type} is not known or has a wrong length", argument.Offset);
            }

            switch ((CtAttribute)argument.Type)
            {
                case CtAttribute.ForceCommit:
                    arguments = arguments with { Commit = true, Force = true };
                    break;
                case CtAttribute.Commit:
                    arguments = arguments with { Commit = true };
                    break;
                case CtAttribute.Zone:
                    arguments = arguments with { Zone = argument.Read<ushort>() };
                    break;
                case CtAttribute.Mark:
                    arguments = arguments with { Mark = argument.Read<uint>(), MarkMask = MemoryMarshal.Read<uint>(argument.Payload[4..]) };
                    if (arguments.MarkMask == 0)
                    {
                        return Refusal.Invalid("Ct: the mask of the mark is 0", argument.Offset);
                    }

                    break;
                case CtAttribute.Labels:
                    arguments = arguments with { Labels = new Ipv6Address(argument.Payload), LabelsMask = new Ipv6Address(argument.Payload[16..]) };
                    if (arguments.LabelsMask.IsZero)
                    {
                        return Refusal.Invalid("Ct: the mask of the labels is 0", argument.Offset);
                    }

                    break;
                case CtAttribute.Helper:
                    if (!TryReadName(argument.Payload, out string helper))
                    {
                        return Refusal.Invalid("Ct: the name of the helper does not end with a zero byte", argument.Offset);
                    }

                    arguments = arguments with { Helper = helper };
                    break;
                case CtAttribute.Timeout:
                    if (!TryReadName(argument.Payload, out string timeout))
                    {
                        return Refusal.Invalid("Ct: the name of the timeout policy does not end with a zero byte", argument.Offset);
                    }

                    arguments = arguments with { Timeout = timeout.Length == 0 ? null : timeout };
                    break;
                case CtAttribute.EventMask:
                    arguments = arguments with { EventMask = argument.Read<uint>() };
                    break;
                case CtAttribute.Nat:
                    Refusal refusal = TryParseNat(argument, arguments, out ConntrackNat? parsed);
                    if (refusal.IsRefused)
                    {
                        return refusal;
                    }

                    arguments = arguments with { Nat = parsed };
                    break;
            }
        }

        if (!arguments.Commit && (arguments.MarkMask != 0 || !arguments.LabelsMask.IsZero))
        {
            return Refusal.Invalid("Ct: setting mark or labels needs commit", action.Offset);
        }

        if (walk.Remaining > 0)
        {
            return Refusal.Invalid("Ct: bytes after the last attribute", action.Offset);
        }

        return arguments.Helper is null || IsKnownHelper(arguments.Helper, key.IpProtocol, arguments.IsIpv6)
            ? Refusal.None
            : Refusal.Invalid($"Ct: no helper is named {arguments.Helper} for this protocol", action.Offset);
    }

    /// <summary>Writes the action as the kernel shows it: only what was given, in its own order.</summary>
    public static void Write(ConntrackArguments arguments, ByteBuffer attributes)
    {
        int start = attributes.BeginNested((int)OvsActionAttribute.Conntrack);
        if (arguments.Commit)
        {
            attributes.PutAttribute((int)(arguments.Force ? CtAttribute.ForceCommit : CtAttribute.Commit), default);
        }

        attributes.PutAttribute((int)CtAttribute.Zone, arguments.Zone);
        if (arguments.MarkMask != 0)
        {
            attributes.PutAttribute((int)CtAttribute.Mark, arguments.Mark | ((ulong)arguments.MarkMask << 32));
        }

        if (!arguments.LabelsMask.IsZero)
        {
            Span<byte> labels = stackalloc byte[32];
            arguments.Labels.CopyTo(labels);
            arguments.LabelsMask.CopyTo(labels[16..]);
            attributes.PutAttribute((int)CtAttribute.Labels, labels);
        }

        PutName(attributes, CtAttribute.Helper, arguments.Helper);
        if (arguments.EventMask is { } eventMask)
        {
            attributes.PutAttribute((int)CtAttribute.EventMask, eventMask);
        }

        PutName(attributes, CtAttribute.Timeout, arguments.Timeout);
        if (arguments.Nat is { } nat)
        {
            WriteNat(nat, arguments.IsIpv6, attributes);
        }

        attributes.EndNested(start);
    }

    private static (int Minimum, int Maximum) Lengths(CtAttribute attribute) => attribute switch
    {
        CtAttribute.Commit or CtAttribute.ForceCommit => (0, 0),
        CtAttribute.Zone => (2, 2),
        CtAttribute.Mark => (8, 8),
        CtAttribute.Labels => (32, 32),
        CtAttribute.Helper => (1, HelperNameLength),
        CtAttribute.Nat => (0, int.MaxValue),
        CtAttribute.EventMask => (4, 4),
        CtAttribute.Timeout => (1, TimeoutNameLength),
        _ => (int.MaxValue, 0),
    };

    private static Refusal TryParseNat(in NetlinkAttribute attribute, ConntrackArguments arguments, out ConntrackNat? parsed)
    {
        parsed = null;
        ConntrackNat nat = new();
        bool hasMaximumAddress = false, hasMaximumPort = false;
        int addressLength = arguments.IsIpv6 ? 16 : 4;
        NetlinkAttributes walk = attribute.Nested;
        while (walk.MoveNext())
        {
            NetlinkAttribute argument = walk.Current;
            NatAttribute type = (NatAttribute)argument.Type;
            int length = type switch
            {
                NatAttribute.AddressMinimum or NatAttribute.AddressMaximum => addressLength,
                NatAttribute.PortMinimum or NatAttribute.PortMaximum => sizeof(ushort),
                _ => 0,
            };
            if (type is NatAttribute.Unspecified or > NatAttribute.PortRandom || argument.Payload.Length != length)
            {
                return Refusal.Invalid($"Ct: nat attribute {argument.Type} is not known or has a wrong length", argument.Offset);
            }

            switch (type)
            {
                case NatAttribute.Source or NatAttribute.Destination when nat.IsSource || nat.IsDestination:
                    return new Refusal(Errno.OutOfRange, "Ct: only one type of nat may be given", argument.Offset);
                case NatAttribute.Source:
                    nat = nat with { IsSource = true };
                    break;
                case NatAttribute.Destination:
                    nat = nat with { IsDestination = true };
                    break;
                case NatAttribute.AddressMinimum:
                    nat = nat with { MinimumAddress = ReadAddress(argument.Payload), HasAddresses = true };
                    break;
                case NatAttribute.AddressMaximum:
                    nat = nat with { MaximumAddress = ReadAddress(argument.Payload), HasAddresses = true };
                    hasMaximumAddress = true;
                    break;
                case NatAttribute.PortMinimum:
                    nat = nat with { MinimumPort = argument.Read<ushort>(), HasPorts = true };
                    break;
                case NatAttribute.PortMaximum:
                    nat = nat with { MaximumPort = argument.Read<ushort>(), HasPorts = true };
                    hasMaximumPort = true;
                    break;
                case NatAttribute.Persistent:
                    nat = nat with { IsPersistent = true };
                    break;
                case NatAttribute.PortHash:
                    nat = nat with { HashesPorts = true };
                    break;
                default:
                    nat = nat with { RandomPorts = true };
                    break;
            }
        }

        if (walk.Remaining > 0)
        {
            return Refusal.Invalid("Ct: bytes after the last nat attribute", attribute.Offset);
        }

        if (!nat.IsSource && !nat.IsDestination)
        {
            if (nat.HasAddresses || nat.HasPorts || nat.IsPersistent || nat.HashesPorts || nat.RandomPorts)
            {
                return Refusal.Invalid("Ct: nat flags and ranges need a type of nat", attribute.Offset);
            }
        }
        else if (!arguments.Commit)
        {
            return Refusal.Invalid("Ct: nat needs commit", attribute.Offset);
        }

        parsed = nat with
        {
            MaximumAddress = hasMaximumAddress ? nat.MaximumAddress : nat.MinimumAddress,
            MaximumPort = hasMaximumPort ? nat.MaximumPort : nat.MinimumPort,
        };
        return Refusal.None;
    }

    private static void WriteNat(ConntrackNat nat, bool isIpv6, ByteBuffer attributes)
    {
        int start = attributes.BeginNested((int)CtAttribute.Nat);
        if (nat.IsSource || nat.IsDestination)
        {
            attributes.PutAttribute((int)(nat.IsSource ? NatAttribute.Source : NatAttribute.Destination), default);
            if (nat.HasAddresses)
            {
                PutAddress(attributes, NatAttribute.AddressMinimum, nat.MinimumAddress, isIpv6);
                if (nat.MaximumAddress != nat.MinimumAddress)
                {
                    PutAddress(attributes, NatAttribute.AddressMaximum, nat.MaximumAddress, isIpv6);
                }
            }

            if (nat.HasPorts)
            {
                attributes.PutAttribute((int)NatAttribute.PortMinimum, nat.MinimumPort);
                if (nat.MaximumPort != nat.MinimumPort)
                {
                    attributes.PutAttribute((int)NatAttribute.PortMaximum, nat.MaximumPort);
                }
            }

            PutFlag(attributes, NatAttribute.Persistent, nat.IsPersistent);
            PutFlag(attributes, NatAttribute.PortHash, nat.HashesPorts);
            PutFlag(attributes, NatAttribute.PortRandom, nat.RandomPorts);
        }

        attributes.EndNested(start);
    }

    private static void PutFlag(ByteBuffer attributes, NatAttribute attribute, bool isSet)
    {
        if (isSet)
        {
            attributes.PutAttribute((int)attribute, default);
        }
    }

    private static void PutAddress(ByteBuffer attributes, NatAttribute attribute, in Ipv6Address address, bool isIpv6)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.CopyTo(bytes);
        attributes.PutAttribute((int)attribute, bytes[..(isIpv6 ? 16 : 4)]);
    }

    private static void PutName(ByteBuffer attributes, CtAttribute attribute, string? name)
    {
        if (name is not null)
        {
            Span<byte> bytes = stackalloc byte[TimeoutNameLength + 1];
            int length = Encoding.Latin1.GetBytes(name, bytes);
            bytes[length] = 0;
            attributes.PutAttribute((int)attribute, bytes[..(length + 1)]);
        }
    }

    private static Ipv6Address ReadAddress(ReadOnlySpan<byte> payload)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        payload.CopyTo(bytes);
        return new Ipv6Address(bytes);
    }

    private static bool TryReadName(ReadOnlySpan<byte> payload, out string name)
    {
        int end = payload.IndexOf((byte)0);
        name = end < 0 ? string.Empty : Encoding.Latin1.GetString(payload[..end]);
        return end >= 0;
    }

    // The helpers of Linux 6.1 that can be loaded as modules, by the protocol of the flow.
    private static bool IsKnownHelper(string name, byte protocol, bool isIpv6) => (name, protocol) switch
    {
        ("ftp" or "sane" or "sip" or "Q.931", Tcp) => true,
        ("tftp" or "sip" or "amanda" or "RAS", Udp) => true,
        ("irc" or "pptp", Tcp) => !isIpv6,
        ("netbios-ns" or "snmp", Udp) => !isIpv6,
        _ => false,
    };
}
