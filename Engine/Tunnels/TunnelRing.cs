using Engine.Flows;
using Engine.Packets;
using Engine.Platform;
using Engine.Protocols;
using Engine.Vports;

namespace Engine.Tunnels;

/// <summary>A way into a tunnel port: datagrams from one source, the outer header taken off.</summary>
/// <remarks>Threads: as <see cref="ITunnelReceiver"/>.</remarks>
/// <typeparam name="TCodec">The kind of tunnel.</typeparam>
internal sealed unsafe class TunnelRing<TCodec>(TCodec codec, IDatagramSource source) : ITunnelReceiver
    where TCodec : struct, ITunnelCodec
{
    // A sender on the same machine leaves checksums and segmentation of the inner packet undone, and a datagram does not say so. How long the
    // segments were to be is not told either; so long they fit the outer packets of an ordinary device.
    private const int UsualInnerMtu = 1450;

    private readonly DatagramBatch _datagrams = new();

    // Where in the datagrams the next packet is.
    private int _datagram;
    private int _offset;
    private ulong _rxErrors;

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch, Span<FlowKey> keys, Span<ulong> drops)
    {
        if (_datagram == _datagrams.Count)
        {
            _datagrams.Clear();
            _datagram = 0;
            source.Receive(_datagrams);
        }

        while (!batch.IsFull && _datagram < _datagrams.Count)
        {
            ref readonly Datagram datagram = ref _datagrams[_datagram];
            ReadOnlySpan<byte> bytes = _datagrams.BytesOf(_datagram)[_offset..];
            bool isLast = datagram.SegmentSize == 0 || bytes.Length <= datagram.SegmentSize;
            bytes = isLast ? bytes : bytes[..datagram.SegmentSize];
            DropReason? reason = Accept(pool, ref batch, ref keys[batch.Count], in datagram, bytes);
            if (reason is { } failed)
            {
                drops[(int)failed]++;
                _rxErrors++;
            }

            _offset = isLast ? 0 : _offset + datagram.SegmentSize;
            _datagram += isLast ? 1 : 0;
        }
    }

    /// <inheritdoc/>
    // A packet is nothing without its tunnel, so none is taken.
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
    }

    /// <inheritdoc/>
    public void AddStats(ref VportStats stats) => stats.RxErrors += _rxErrors;

    /// <inheritdoc/>
    // Nothing is sent by a way in.
    public int Transmit(PacketPool pool, ref PacketBatch batch) => TunnelDriver<TCodec>.Discard(pool, ref batch);

    /// <inheritdoc/>
    public void Dispose() => _datagrams.Dispose();

    private DropReason? Accept(PacketPool pool, ref PacketBatch batch, ref FlowKey key, in Datagram datagram, ReadOnlySpan<byte> bytes)
    {
        const int EthernetLength = 14;
        BeginKey(ref key, in datagram);
        if (!codec.TryRead(bytes, ref key, out TunnelPayload payload))
        {
            return DropReason.TunnelHeader;
        }

        ReadOnlySpan<byte> inner = bytes[payload.Offset..];
        if (payload.EtherType == TunnelPayload.Unknown || inner.Length < (payload.HasEthernet ? EthernetLength : 1))
        {
            return DropReason.TunnelPayload;
        }

        Packet* packet = pool.TryAllocate(inner.Length);
        if (packet == null)
        {
            return DropReason.NoMemory;
        }

        packet->SetData(Packet.DefaultDataOffset, inner.Length);
        inner.CopyTo(packet->Bytes);
        packet->HasEthernet = payload.HasEthernet;
        if (!payload.HasEthernet)
        {
            key.EtherType = payload.EtherType;
        }

        if (!CongestionMark.TryDecapsulate(datagram.Tos, packet->Bytes, payload.HasEthernet, payload.EtherType))
        {
            pool.Free(packet);
            return DropReason.TunnelCongestion;
        }

        PartialChecksum.Detect(ref *packet, UsualInnerMtu, payload.EtherType);
        batch.Add(packet);
        return null;
    }

    private void BeginKey(ref FlowKey key, in Datagram datagram)
    {
        key.BeginTunnel();
        if (datagram.IsIpv6)
        {
            key.TunnelProtocol = TunnelFamily.Ipv6;
            key.TunnelIpv6Source = datagram.Ipv6Source;
            key.TunnelIpv6Destination = datagram.Ipv6Destination;
        }
        else
        {
            key.TunnelProtocol = TunnelFamily.Ipv4;
            key.TunnelIpv4Source = datagram.Ipv4Source;
            key.TunnelIpv4Destination = datagram.Ipv4Destination;
        }

        key.TunnelTos = datagram.Tos;
        key.TunnelTtl = datagram.Ttl;
        key.TunnelFlags = datagram.HasChecksum ? TunnelKeyFlags.Checksum : TunnelKeyFlags.None;
        if (codec.Protocol == IpProtocols.Udp)
        {
            key.TunnelTransportSource = datagram.SourcePort;
            key.TunnelTransportDestination = codec.Port;
        }
    }
}
