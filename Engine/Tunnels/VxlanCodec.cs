using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>VXLAN, with group policy or with other payloads than Ethernet where the port has them (the kernel's vxlan_rcv and vxlan_build_skb).</summary>
internal readonly struct VxlanCodec(ushort port, bool hasGroupPolicy = false, bool isGeneric = false) : ITunnelCodec
{
    private const int HeaderSize = 8, FlagsOffset = 0, NextProtocolOffset = 3, GroupPolicyOptionSize = 4;

    /// <inheritdoc/>
    public byte Protocol => IpProtocols.Udp;

    /// <inheritdoc/>
    public ushort Port => port;

    /// <inheritdoc/>
    public bool TakesBarePackets => isGeneric;

    /// <inheritdoc/>
    public bool IsReadAlone => true;

    /// <inheritdoc/>
    public bool NeedsFinish(in FlowKey tunnel) => isGeneric;

    /// <inheritdoc/>
    // The kernel does so whether the outer packet may be cut or not.
    public bool AnswersTooBig(in FlowKey tunnel) => true;

    /// <inheritdoc/>
    public bool GoesOver(bool isIpv6) => true;

    /// <inheritdoc/>
    public ushort DestinationPortOf(in FlowKey tunnel) => tunnel.TunnelTransportDestination.Raw != 0 ? tunnel.TunnelTransportDestination.Value : port;

    /// <inheritdoc/>
    public int Write(in FlowKey tunnel, Span<byte> header)
    {
        uint flags = VxlanHeader.HasVni | (isGeneric ? VxlanHeader.HasNextProtocol : 0);
        if (hasGroupPolicy && (tunnel.TunnelFlags & TunnelKeyFlags.VxlanOptions) != 0)
        {
            ReadOnlySpan<byte> options = tunnel.TunnelOptions;
            uint policy = MemoryMarshal.Read<uint>(options);
            flags |= policy == 0 ? 0 : VxlanHeader.HasGroupPolicy | (policy & VxlanHeader.GroupPolicyMask);
        }

        MemoryMarshal.Write(header, new VxlanHeader { Flags = flags, Vni = (uint)tunnel.TunnelId.Value & 0xff_ffff });
        return HeaderSize;
    }

    /// <inheritdoc/>
    public bool TryFinish(in FlowKey tunnel, Span<byte> bytes, int headerLength, ushort etherType, uint number)
    {
        bytes[NextProtocolOffset] = VxlanHeader.NextProtocolOf(etherType);
        return bytes[NextProtocolOffset] != 0;
    }

    /// <inheritdoc/>
    public bool TryRead(ReadOnlySpan<byte> bytes, ref FlowKey key, out TunnelPayload payload)
    {
        payload = new TunnelPayload(HeaderSize, EtherTypes.TransparentEthernet);
        if (bytes.Length < HeaderSize)
        {
            return false;
        }

        VxlanHeader header = MemoryMarshal.Read<VxlanHeader>(bytes);
        uint flags = header.Flags.Value;
        uint understood = VxlanHeader.HasVni;
        if (isGeneric)
        {
            ushort etherType = VxlanHeader.EtherTypeOf((byte)flags);
            if ((flags & VxlanHeader.HasNextProtocol) == 0 || (flags & (VxlanHeader.VersionMask | VxlanHeader.Oam)) != 0 || etherType == 0)
            {
                return false;
            }

            payload = payload with { EtherType = etherType };
            understood |= VxlanHeader.GenericBits;
        }

        understood |= hasGroupPolicy ? VxlanHeader.GroupPolicyBits : 0;

        // RFC 7348 has receivers ignore reserved bits. The kernel drops them, for an extension it does not know may change the payload.
        if ((flags & VxlanHeader.HasVni) == 0 || (flags & ~understood) != 0 || (byte)header.VniAndReserved.Value != 0)
        {
            return false;
        }

        key.TunnelId = header.Vni;
        key.TunnelFlags |= TunnelKeyFlags.Key;
        if (hasGroupPolicy && (flags & VxlanHeader.HasGroupPolicy) != 0)
        {
            uint policy = flags & VxlanHeader.GroupPolicyMask;
            key.SetTunnelOptions(MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in policy)), TunnelKeyFlags.VxlanOptions);
        }

        return true;
    }
}
