using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Engine.Flows;
using Engine.Packets;
using Engine.Platform;
using Engine.Protocols;
using Engine.Vports;

namespace Engine.Tunnels;

/// <summary>A way into a tunnel port: datagrams from one source, the outer header taken off, TCP segments that follow each other merged.</summary>
/// <remarks>Threads: as <see cref="ITunnelReceiver"/>.</remarks>
/// <typeparam name="TCodec">The kind of tunnel.</typeparam>
/// <param name="codec">The kind of tunnel.</param>
/// <param name="source">Where datagrams come from; not disposed here.</param>
/// <param name="merges">Whether segments are merged.</param>
internal sealed unsafe class TunnelRing<TCodec>(TCodec codec, IDatagramSource source, bool merges) : ITunnelReceiver
    where TCodec : struct, ITunnelCodec
{
    // A sender on the same machine leaves checksums and segmentation of the inner packet undone, and a datagram does not say so. How long the
    // segments were to be is not told either; so long they fit the outer packets of an ordinary device.
    private const int UsualInnerMtu = 1450;

    // Of VXLAN and of Geneve without options.
    private const int ShortHeader = sizeof(ulong);

    private readonly DatagramBatch _datagrams = new();
    private readonly SegmentMerger? _merger = merges ? new SegmentMerger() : null;

    // Where in the datagrams the next packet is.
    private int _datagram;
    private int _offset;
    private ulong _rxErrors;

    // The outer header of the packet before, and what it gave: most packets have the same one.
    private bool _isKnown;
    private ulong _knownHeader;
    private Datagram _knownDatagram;
    private Vector512<byte> _knownTunnel;

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
            if (_isKnown && _offset == 0 && TakeKnown(pool, ref batch, keys))
            {
                continue;
            }

            ref readonly Datagram datagram = ref _datagrams[_datagram];
            ReadOnlySpan<byte> bytes = _datagrams.BytesOf(_datagram)[_offset..];
            bool isLast = datagram.SegmentSize == 0 || bytes.Length <= datagram.SegmentSize;
            bytes = isLast ? bytes : bytes[..datagram.SegmentSize];
            DropReason? reason = Accept(pool, ref batch, keys, in datagram, bytes);
            if (reason is { } failed)
            {
                drops[(int)failed]++;
                _rxErrors++;
            }

            _offset = isLast ? 0 : _offset + datagram.SegmentSize;
            _datagram += isLast ? 1 : 0;
        }

        _merger?.Finish(ref batch);
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

    // The packets that come most: the outer header is that of the packet before, and there is nothing to merge. False when there is none.
    private bool TakeKnown(PacketPool pool, ref PacketBatch batch, Span<FlowKey> keys)
    {
        int first = batch.Count, most = Math.Min(PacketBatch.Capacity - first, _datagrams.Count - _datagram);
        Datagram* datagrams = _datagrams.PointerTo(_datagram);
        int count = _merger is { IsHolding: true } ? 0 : pool.Allocate(ref batch, CountKnown(datagrams, most, pool.StandardLength));
        CopyKnown(datagrams, batch.Pointers[first..], keys[first..]);
        for (int i = first; i < batch.Count; i++)
        {
            PartialChecksum.Detect(ref batch[i], UsualInnerMtu);
        }

        _datagram += count;
        return count != 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int CountKnown(Datagram* datagrams, int most, int longest)
    {
        const int EthernetLength = 14;
        ulong header = _knownHeader;
        bool merges = _merger is not null;
        int count = 0;
        for (; count < most; count++, datagrams++)
        {
            int length = datagrams->Length - ShortHeader;
            byte* bytes = (byte*)datagrams->Address;
            if (length < EthernetLength || length > longest || datagrams->SegmentSize != 0 || *(ulong*)bytes != header || !datagrams->HasHeaderOf(in _knownDatagram)
                || (merges && TcpSegment.HasLikelyPayload(new ReadOnlySpan<byte>(bytes + ShortHeader, length))))
            {
                break;
            }
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CopyKnown(Datagram* datagrams, ReadOnlySpan<nint> packets, Span<FlowKey> keys)
    {
        Vector512<byte> tunnel = _knownTunnel;
        keys = keys[..packets.Length];
        for (int i = 0; i < packets.Length; i++, datagrams++)
        {
            Packet* packet = (Packet*)packets[i];
            int length = datagrams->Length - ShortHeader;
            byte* bytes = (byte*)datagrams->Address + ShortHeader, data = (byte*)packet + Packet.DefaultDataOffset;

            // In bounds: datagrams have as much behind them, and what a frame holds behind the headroom is a multiple of it.
            for (int at = 0; at < length; at += Vector512<byte>.Count)
            {
                Vector512.Load(bytes + at).StoreAligned(data + at);
            }

            packet->Reset(Packet.DefaultDataOffset, length);
            keys[i].RepeatTunnel(tunnel);
        }
    }

    // Any packet.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private DropReason? Accept(PacketPool pool, ref PacketBatch batch, Span<FlowKey> keys, in Datagram datagram, ReadOnlySpan<byte> bytes)
    {
        const int EthernetLength = 14;
        ref FlowKey key = ref keys[batch.Count];
        if (_isKnown && bytes.Length >= ShortHeader + EthernetLength && MemoryMarshal.Read<ulong>(bytes) == _knownHeader && datagram.HasHeaderOf(in _knownDatagram))
        {
            key.RepeatTunnel(_knownTunnel);
            return Accept(pool, ref batch, keys, bytes[ShortHeader..], EtherTypes.TransparentEthernet, datagram.Tos);
        }

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

        _isKnown = codec.IsReadAlone && !CongestionMark.IsExperienced(datagram.Tos) && payload == new TunnelPayload(ShortHeader, EtherTypes.TransparentEthernet) && key.TunnelOptionsLength == 0;
        if (_isKnown)
        {
            _knownHeader = MemoryMarshal.Read<ulong>(bytes);
            _knownDatagram = datagram;
            _knownTunnel = key.Tunnel;
        }

        return Accept(pool, ref batch, keys, inner, payload.EtherType, datagram.Tos);
    }

    private DropReason? Accept(PacketPool pool, ref PacketBatch batch, Span<FlowKey> keys, ReadOnlySpan<byte> inner, ushort etherType, byte tos)
    {
        bool hasEthernet = etherType == EtherTypes.TransparentEthernet;
        bool isSegment = false;
        if (_merger is { } merger && hasEthernet && merger.IsConcerned(inner))
        {
            if (merger.TryMerge(pool, ref batch, keys, inner, out isSegment))
            {
                return null;
            }
        }

        Packet* packet = pool.TryAllocate(inner.Length);
        if (packet == null)
        {
            return DropReason.NoMemory;
        }

        packet->SetData(Packet.DefaultDataOffset, inner.Length);
        inner.CopyTo(packet->Bytes);
        packet->HasEthernet = hasEthernet;
        if (!hasEthernet)
        {
            keys[batch.Count].EtherType = etherType;
        }

        if (!CongestionMark.TryDecapsulate(tos, packet->Bytes, hasEthernet, etherType))
        {
            pool.Free(packet);
            return DropReason.TunnelCongestion;
        }

        PartialChecksum.Detect(ref *packet, UsualInnerMtu, etherType);
        batch.Add(packet);
        if (isSegment)
        {
            _merger!.Hold(ref batch);
        }

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
