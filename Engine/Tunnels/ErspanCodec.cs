using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>ERSPAN types II and III (versions 1 and 2): mirrored frames over GRE, over one version of IP (the kernel's erspan and ip6erspan devices).</summary>
internal readonly struct ErspanCodec(bool isIpv6) : ITunnelCodec
{
    private const int GreSize = 8, SequenceOffset = 4, BaseSize = 4;

    // The metadata of a key: the version in host order, then index or the header's second part as on the wire.
    private const int MetadataSize = 12, MetadataIndex = 4, MetadataDirection = 11, MetadataHardwareHigh = 10;

    private const byte DirectionBit = 0x08, HardwareLowBits = 0xf0, HardwareHighBits = 0x03, FrameIsEthernet = 0x80;

    // struct erspan_md2, from its start: timestamp, security group, two bytes of bits.
    private const int GroupHigh = 6, GroupLow = 7;

    private const int ShortestFrame = 60, LongestFrame = 1514;

    /// <inheritdoc/>
    public byte Protocol => IpProtocols.Gre;

    /// <inheritdoc/>
    public ushort Port => 0;

    /// <inheritdoc/>
    public bool TakesBarePackets => false;

    /// <inheritdoc/>
    public bool IsReadAlone => false;

    /// <inheritdoc/>
    public bool NeedsFinish(in FlowKey tunnel) => true;

    /// <inheritdoc/>
    // Mirrored packets have gone their own way; their senders must not be told.
    public bool AnswersTooBig(in FlowKey tunnel) => false;

    /// <inheritdoc/>
    public bool GoesOver(bool ipv6) => ipv6 == isIpv6;

    /// <inheritdoc/>
    public ushort DestinationPortOf(in FlowKey tunnel) => 0;

    /// <inheritdoc/>
    public int Write(in FlowKey tunnel, Span<byte> header)
    {
        ReadOnlySpan<byte> metadata = tunnel.TunnelOptions;
        int version = VersionOf(metadata);
        if ((tunnel.TunnelFlags & TunnelKeyFlags.ErspanOptions) == 0 || version is not (1 or 2))
        {
            return -1;
        }

        MemoryMarshal.Write(header, new GreHeader { Flags = GreHeader.HasSequence, Protocol = version == 1 ? GreHeader.Erspan : GreHeader.ErspanThree });
        MemoryMarshal.Write(header[GreSize..], new ErspanHeader { Version = (byte)version, SessionId = (ushort)(tunnel.TunnelId.Value & 0x3ff) });
        Span<byte> rest = header[(GreSize + BaseSize)..];
        if (version == 1)
        {
            BinaryPrimitives.WriteUInt32BigEndian(rest, BinaryPrimitives.ReadUInt32BigEndian(metadata[MetadataIndex..]) & 0xf_ffff);
        }
        else
        {
            rest[GroupHigh] = (byte)(FrameIsEthernet | (metadata[MetadataHardwareHigh] & HardwareHighBits));
            rest[GroupLow] = (byte)(metadata[MetadataDirection] & (DirectionBit | HardwareLowBits));
        }

        return GreSize + BaseSize + ErspanHeader.RestSize(version);
    }

    /// <inheritdoc/>
    public bool TryFinish(in FlowKey tunnel, Span<byte> bytes, int headerLength, ushort etherType, uint number)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes[SequenceOffset..], number);
        ref ErspanHeader header = ref MemoryMarshal.AsRef<ErspanHeader>(bytes[GreSize..]);
        ReadOnlySpan<byte> frame = bytes[headerLength..];
        header.ClassOfService = (byte)(CongestionMark.TosOf(frame, hasEthernet: true, EtherTypes.TransparentEthernet) >> 5);
        header.IsTruncated = IsCut(frame);
        bool isTagged = frame.Length >= 18 && BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) == EtherTypes.Vlan;
        header.Vlan = isTagged ? (ushort)(BinaryPrimitives.ReadUInt16BigEndian(frame[14..]) & 0xfff) : (ushort)0;
        if (header.Version == 1)
        {
            header.Encapsulation = (byte)(isTagged ? 3 : 0);
        }
        else
        {
            // Too short or too long for Ethernet.
            header.Encapsulation = (byte)(frame.Length < ShortestFrame ? 1 : frame.Length > LongestFrame ? 2 : 0);

            // In units of 100 microseconds.
            uint time = (uint)(System.Diagnostics.Stopwatch.GetTimestamp() / (System.Diagnostics.Stopwatch.Frequency / 10_000));
            BinaryPrimitives.WriteUInt32BigEndian(bytes[(GreSize + BaseSize)..], time);
        }

        return true;
    }

    /// <inheritdoc/>
    public bool TryRead(ReadOnlySpan<byte> bytes, ref FlowKey key, out TunnelPayload payload)
    {
        payload = default;
        if (!GreCodec.TryReadHeader(bytes, ref key, out int length, out ushort protocol, out ushort flags)
            || protocol is not (GreHeader.Erspan or GreHeader.ErspanThree)
            || (flags & GreHeader.HasChecksum) != 0
            || bytes.Length < length + BaseSize)
        {
            return false;
        }

        ErspanHeader header = MemoryMarshal.Read<ErspanHeader>(bytes[length..]);
        if (header.Version is not (1 or 2))
        {
            // The version counts, as in the kernel; what the GRE header says of it does not.
            return false;
        }

        int restSize = ErspanHeader.RestSize(header.Version);
        int rest = length + BaseSize;
        if (bytes.Length < rest + restSize)
        {
            return false;
        }

        Span<byte> metadata = stackalloc byte[MetadataSize];
        metadata.Clear();
        MemoryMarshal.Write(metadata, (uint)header.Version);
        bytes.Slice(rest, restSize).CopyTo(metadata[MetadataIndex..]);
        key.TunnelId = header.SessionId;
        key.TunnelFlags |= TunnelKeyFlags.Key | ((flags & GreHeader.HasSequence) != 0 ? TunnelKeyFlags.Sequence : 0);
        key.SetTunnelOptions(metadata, TunnelKeyFlags.ErspanOptions);
        payload = new TunnelPayload(rest + restSize, EtherTypes.TransparentEthernet);
        return true;
    }

    private static int VersionOf(ReadOnlySpan<byte> metadata) => MemoryMarshal.Read<int>(metadata);

    // An IP packet that says it is longer than the frame: trunc has cut it.
    private static bool IsCut(ReadOnlySpan<byte> frame)
    {
        const int Network = 14;
        if (frame.Length < Network + 6)
        {
            return false;
        }

        return BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) switch
        {
            EtherTypes.Ipv4 => BinaryPrimitives.ReadUInt16BigEndian(frame[(Network + 2)..]) > frame.Length - Network,
            EtherTypes.Ipv6 => BinaryPrimitives.ReadUInt16BigEndian(frame[(Network + 4)..]) > frame.Length - Network - 40,
            _ => false,
        };
    }
}
