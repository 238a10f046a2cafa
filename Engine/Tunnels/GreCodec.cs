using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>GRE with Ethernet payloads, over one version of IP (the kernel's gretap and ip6gretap devices that take their tunnel from each packet).</summary>
internal readonly struct GreCodec(bool isIpv6) : ITunnelCodec
{
    private const int ChecksumOffset = 4, BaseSize = 4;

    /// <inheritdoc/>
    public byte Protocol => IpProtocols.Gre;

    /// <inheritdoc/>
    public ushort Port => 0;

    /// <inheritdoc/>
    public bool TakesBarePackets => false;

    /// <inheritdoc/>
    public bool IsReadAlone => false;

    /// <inheritdoc/>
    public bool NeedsFinish(in FlowKey tunnel) => (tunnel.TunnelFlags & TunnelKeyFlags.Checksum) != 0;

    /// <inheritdoc/>
    // By tnl_update_pmtu, which has the host answer, by its own routes; here the answer goes where the packet came from.
    public bool AnswersTooBig(in FlowKey tunnel) => (tunnel.TunnelFlags & TunnelKeyFlags.DontFragment) != 0;

    /// <inheritdoc/>
    public bool GoesOver(bool ipv6) => ipv6 == isIpv6;

    /// <inheritdoc/>
    public ushort DestinationPortOf(in FlowKey tunnel) => 0;

    /// <inheritdoc/>
    public int Write(in FlowKey tunnel, Span<byte> header)
    {
        bool hasKey = (tunnel.TunnelFlags & TunnelKeyFlags.Key) != 0;
        bool hasChecksum = (tunnel.TunnelFlags & TunnelKeyFlags.Checksum) != 0;
        ushort flags = (ushort)((hasKey ? GreHeader.HasKey : 0) | (hasChecksum ? GreHeader.HasChecksum : 0));
        MemoryMarshal.Write(header, new GreHeader { Flags = flags, Protocol = EtherTypes.TransparentEthernet });
        if (hasKey)
        {
            // The low half of the id.
            BinaryPrimitives.WriteUInt32BigEndian(header[GreHeader.KeyOffsetOf(flags)..], (uint)tunnel.TunnelId.Value);
        }

        return GreHeader.LengthOf(flags);
    }

    /// <inheritdoc/>
    public bool TryFinish(in FlowKey tunnel, Span<byte> bytes, int headerLength, ushort etherType, uint number) => WriteChecksum(bytes);

    /// <inheritdoc/>
    public bool TryRead(ReadOnlySpan<byte> bytes, ref FlowKey key, out TunnelPayload payload)
    {
        // The kernel's device drops what has a checksum, right or wrong, for its own parameters name none (ip_tunnel_rcv).
        if (!TryReadHeader(bytes, ref key, out int length, out ushort protocol, out ushort flags)
            || protocol != EtherTypes.TransparentEthernet
            || (flags & GreHeader.HasChecksum) != 0)
        {
            payload = default;
            return false;
        }

        payload = new TunnelPayload(length, EtherTypes.TransparentEthernet);
        return true;
    }

    /// <summary>Writes the checksum over header and packet, RFC 2784 section 2.5.</summary>
    /// <returns>True.</returns>
    internal static bool WriteChecksum(Span<byte> bytes)
    {
        bytes.Slice(ChecksumOffset, 2).Clear();
        MemoryMarshal.Write(bytes[ChecksumOffset..], (ushort)~OnesComplement.Fold(OnesComplement.Sum(bytes)));
        return true;
    }

    /// <summary>Reads the header with its optional fields (the kernel's gre_parse_header).</summary>
    internal static bool TryReadHeader(ReadOnlySpan<byte> bytes, ref FlowKey key, out int length, out ushort protocol, out ushort flags)
    {
        length = 0;
        protocol = 0;
        flags = 0;
        if (bytes.Length < BaseSize)
        {
            return false;
        }

        GreHeader header = MemoryMarshal.Read<GreHeader>(bytes);
        flags = header.Flags.Value;
        protocol = header.Protocol.Value;
        length = GreHeader.LengthOf(flags);
        if ((flags & (GreHeader.HasRouting | GreHeader.VersionMask)) != 0 || bytes.Length < length)
        {
            return false;
        }

        if ((flags & GreHeader.HasKey) != 0)
        {
            key.TunnelId = BinaryPrimitives.ReadUInt32BigEndian(bytes[GreHeader.KeyOffsetOf(flags)..]);
            key.TunnelFlags |= TunnelKeyFlags.Key;
        }

        return true;
    }
}
