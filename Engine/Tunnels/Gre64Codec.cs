using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>GRE with Ethernet payloads and ids of 64 bits: the key holds the low half, the sequence number the high half (vports of type gre64, which Open vSwitch's own module had).</summary>
internal readonly struct Gre64Codec : ITunnelCodec
{
    private const int WordSize = 4;

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
    public bool AnswersTooBig(in FlowKey tunnel) => (tunnel.TunnelFlags & TunnelKeyFlags.DontFragment) != 0;

    /// <inheritdoc/>
    public bool GoesOver(bool isIpv6) => true;

    /// <inheritdoc/>
    public ushort DestinationPortOf(in FlowKey tunnel) => 0;

    /// <inheritdoc/>
    public int Write(in FlowKey tunnel, Span<byte> header)
    {
        bool hasChecksum = (tunnel.TunnelFlags & TunnelKeyFlags.Checksum) != 0;
        ushort flags = (ushort)(GreHeader.HasKey | GreHeader.HasSequence | (hasChecksum ? GreHeader.HasChecksum : 0));
        MemoryMarshal.Write(header, new GreHeader { Flags = flags, Protocol = EtherTypes.TransparentEthernet });
        Span<byte> id = header[GreHeader.KeyOffsetOf(flags)..];
        BinaryPrimitives.WriteUInt32BigEndian(id, (uint)tunnel.TunnelId.Value);
        BinaryPrimitives.WriteUInt32BigEndian(id[WordSize..], (uint)(tunnel.TunnelId.Value >> 32));
        return GreHeader.LengthOf(flags);
    }

    /// <inheritdoc/>
    public bool TryFinish(in FlowKey tunnel, Span<byte> bytes, int headerLength, ushort etherType, uint number) => GreCodec.WriteChecksum(bytes);

    /// <inheritdoc/>
    public bool TryRead(ReadOnlySpan<byte> bytes, ref FlowKey key, out TunnelPayload payload)
    {
        const ushort HasId = GreHeader.HasKey | GreHeader.HasSequence;
        payload = default;
        if (!GreCodec.TryReadHeader(bytes, ref key, out int length, out ushort protocol, out ushort flags)
            || protocol != EtherTypes.TransparentEthernet
            || (flags & HasId) != HasId)
        {
            return false;
        }

        if ((flags & GreHeader.HasChecksum) != 0)
        {
            // RFC 2784 section 2.5: over header and payload.
            if (OnesComplement.Fold(OnesComplement.Sum(bytes)) != ushort.MaxValue)
            {
                return false;
            }

            key.TunnelFlags |= TunnelKeyFlags.Checksum;
        }

        ReadOnlySpan<byte> id = bytes[GreHeader.KeyOffsetOf(flags)..];
        key.TunnelId = ((ulong)BinaryPrimitives.ReadUInt32BigEndian(id[WordSize..]) << 32) | BinaryPrimitives.ReadUInt32BigEndian(id);
        payload = new TunnelPayload(length, EtherTypes.TransparentEthernet);
        return true;
    }
}
