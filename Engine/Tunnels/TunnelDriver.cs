using System.Runtime.CompilerServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;
using Engine.Vports;

namespace Engine.Tunnels;

/// <summary>A tunnel port: all tunnels of one kind and UDP port, told apart by the tunnel key of each packet.</summary>
/// <remarks>Threads: as <see cref="ITunnelDriver"/>.</remarks>
/// <typeparam name="TCodec">The kind.</typeparam>
internal sealed unsafe class TunnelDriver<TCodec> : ITunnelDriver
    where TCodec : struct, ITunnelCodec
{
    // linux/ip.h's net.ipv4.ip_local_port_range as the kernel sets it: where tunnels of all flows take their source ports.
    private const ushort FirstSourcePort = 32768;
    private const uint SourcePortCount = 60999 - FirstSourcePort + 1;

    private readonly TCodec _codec;
    private readonly ITunnelUnderlay _underlay;
    private readonly TunnelRing<TCodec>[] _rings;
    private readonly TunnelAnswers _answers = new();
    private int _packetNumber;

    /// <summary>Starts a port on a network, which goes with it.</summary>
    /// <param name="codec">The kind.</param>
    /// <param name="underlay">The network.</param>
    /// <param name="merges">Whether TCP segments that come by it one after the other are merged (<see cref="SegmentMerger"/>).</param>
    public TunnelDriver(TCodec codec, ITunnelUnderlay underlay, bool merges = true)
    {
        _codec = codec;
        _underlay = underlay;
        _rings = [.. underlay.Sources.Select(source => new TunnelRing<TCodec>(codec, source, merges))];
        Rings =
        [
            .. underlay.Sources.Zip(_rings, static (source, ring) => new VportRing(ring, source.WaitHandle) { LooksByCall = true }),
            new VportRing(_answers, _answers.WaitHandle) { LooksByCall = true },
        ];
    }

    /// <summary>The ways in.</summary>
    public IReadOnlyList<VportRing> Rings { get; }

    /// <summary>Told when the port has been closed.</summary>
    public Action? Closed { get; init; }

    /// <inheritdoc/>
    // A packet is nothing without its tunnel, so none is taken.
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
    }

    /// <inheritdoc/>
    // Without their tunnels packets have nowhere to go.
    public int Transmit(PacketPool pool, ref PacketBatch batch) => Discard(pool, ref batch);

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch, ReadOnlySpan<TunnelKey?> tunnels, Span<ulong> drops)
    {
        PacketBatch ready = default;
        int generation = _underlay.RouteGeneration;
        uint number = (uint)Interlocked.Add(ref _packetNumber, batch.Count) - (uint)batch.Count;
        int sent = 0;
        TunnelKey? current = null;
        TunnelTemplate? template = null;
        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);
            TunnelKey tunnel = tunnels[i]!;
            if (tunnel != current)
            {
                template = TemplateOf(tunnel, generation);
                current = tunnel;
            }

            if (template!.TakesPlainly(packet))
            {
                template.WriteBefore(packet, SourcePortOf(packet->FlowHash), (ushort)(number + (uint)i));
                MakeRoom(pool, ref ready, drops);
                ready.Add(packet);
                sent++;
            }
            else
            {
                sent += TransmitOther(pool, packet, template, tunnel, number + (uint)i, ref ready, drops) ? 1 : 0;
            }
        }

        Send(pool, ref ready, drops);
        batch.Clear();
        return sent;
    }

    /// <inheritdoc/>
    public bool TryDescribeEgress(TunnelKey tunnel, ulong flowHash, out FlowKey egress)
    {
        TunnelTemplate template = TemplateOf(tunnel, _underlay.RouteGeneration);
        egress = tunnel.Key;
        if (template.Failure is not null)
        {
            return false;
        }

        egress.TunnelIpv4Source = template.Route.Ipv4Source;
        egress.TunnelIpv6Source = template.Route.Ipv6Source;
        if (_codec.Protocol == IpProtocols.Udp)
        {
            egress.TunnelTransportSource = SourcePortOf(flowHash);
            egress.TunnelTransportDestination = _codec.DestinationPortOf(in tunnel.Key);
        }

        return true;
    }

    /// <inheritdoc/>
    public void AddStats(ref VportStats stats)
    {
        foreach (TunnelRing<TCodec> ring in _rings)
        {
            ring.AddStats(ref stats);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _underlay.Dispose();
        foreach (TunnelRing<TCodec> ring in _rings)
        {
            ring.Dispose();
        }

        _answers.Dispose();
        Closed?.Invoke();
    }

    /// <summary>Frees packets that cannot be sent.</summary>
    /// <returns>0, how many were sent.</returns>
    internal static int Discard(PacketPool pool, ref PacketBatch batch)
    {
        pool.Free(ref batch);
        return 0;
    }

    private static ushort SourcePortOf(ulong flowHash) => (ushort)(FirstSourcePort + (uint)(((ulong)(uint)flowHash * SourcePortCount) >> 32));

    private TunnelTemplate TemplateOf(TunnelKey tunnel, int generation)
    {
        if (tunnel.Prepared is TunnelTemplate[] templates)
        {
            foreach (TunnelTemplate template in templates)
            {
                if (template.Port == this && template.Generation == generation)
                {
                    return template;
                }
            }
        }

        return Prepare(tunnel, generation);
    }

    // Rare: the first packet of a tunnel, or the first after routes may have changed.
    private TunnelTemplate Prepare(TunnelKey tunnel, int generation)
    {
        ref readonly FlowKey key = ref tunnel.Key;
        OuterRoute route = default;
        DropReason? failure = !_codec.GoesOver(key.TunnelProtocol == TunnelFamily.Ipv6) ? DropReason.NoTunnel
            : _underlay.FindRoute(in key, out route) != Errno.None ? DropReason.NoRoute
            : null;
        lock (tunnel)
        {
            TunnelTemplate[] templates = (TunnelTemplate[]?)tunnel.Prepared ?? [];
            if (Array.Find(templates, each => each.Port == this && each.Expected == failure && each.Route == route) is { } unchanged)
            {
                unchanged.Generation = generation;
                return unchanged;
            }

            TunnelTemplate made = failure is { } reason
                ? TunnelTemplate.Unusable(reason, in route, this, generation)
                : TunnelTemplate.Make(_codec, in key, in route, this, generation);
            tunnel.Prepared = (TunnelTemplate[])[made, .. templates.Where(each => each.Port != this)];
            return made;
        }
    }

    // A packet that takes more than a copy of the headers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TransmitOther(PacketPool pool, Packet* packet, TunnelTemplate template, TunnelKey tunnel, uint number, ref PacketBatch ready, Span<ulong> drops)
    {
        DropReason? failure = template.Failure;
        if (failure is null && packet->Offload.GsoType != 0)
        {
            return Segment(pool, packet, template, tunnel, ref ready, drops);
        }

        if (failure is null && packet->Length > template.Room && IsAnswered(packet, template, tunnel))
        {
            failure = DropReason.TooBig;
        }
        else if (failure is null)
        {
            failure = ChecksumOffload.TryFinish(ref *packet) ? Wrap(pool, ref packet, template, in tunnel.Key, number) : DropReason.ActionError;
        }

        if (failure is { } reason)
        {
            drops[(int)reason]++;
            pool.Free(packet);
            return false;
        }

        return Queue(pool, packet, template, ref ready, drops);
    }

    /// <summary>Puts the outer headers before a packet.</summary>
    /// <returns>Why it was dropped, or null; the packet stays the caller's, and may be another one afterwards.</returns>
    private DropReason? Wrap(PacketPool pool, ref Packet* packet, TunnelTemplate template, in FlowKey tunnel, uint number)
    {
        bool hasEthernet = packet->HasEthernet;
        ushort etherType = hasEthernet ? EtherTypes.TransparentEthernet : packet->Protocol.Value;
        byte innerTos = CongestionMark.TosOf(packet->Bytes, hasEthernet, etherType);
        int headers = template.Length;
        if (packet->Length + headers > ushort.MaxValue)
        {
            return DropReason.TooBig;
        }

        if (!packet->TryPush(headers) && !TryMove(pool, ref packet, headers))
        {
            return DropReason.NoMemory;
        }

        Span<byte> bytes = packet->Bytes;
        template.WriteTo(bytes, innerTos, (ushort)number);
        if (template.NeedsFinish && !_codec.TryFinish(in tunnel, bytes[template.TunnelOffset..], headers - template.TunnelOffset, etherType, number))
        {
            return DropReason.TunnelPayload;
        }

        template.WriteUdp(bytes, SourcePortOf(packet->FlowHash));
        return null;
    }

    // Headers longer than the headroom: options of Geneve, or a packet that was wrapped before. The packet moves to a frame with room.
    private static bool TryMove(PacketPool pool, ref Packet* packet, int headers)
    {
        Packet* moved = pool.TryAllocate(headers + packet->Length);
        if (moved == null)
        {
            return false;
        }

        moved->SetData(Packet.DefaultDataOffset, headers + packet->Length);
        packet->Bytes.CopyTo(moved->Bytes[headers..]);
        moved->FlowHash = packet->FlowHash;
        pool.Free(packet);
        packet = moved;
        return true;
    }

    // A super-frame, cut and each segment wrapped.
    private bool Segment(PacketPool pool, Packet* packet, TunnelTemplate template, TunnelKey tunnel, ref PacketBatch ready, Span<ulong> drops)
    {
        DropReason? failure = !SegmentationOffload.TryStart(ref *packet, out SegmentationOffload segments) ? DropReason.ActionError
            : segments.SegmentLength > template.Room && IsAnswered(packet, template, tunnel) ? DropReason.TooBig
            : null;
        if (failure is { } refused)
        {
            drops[(int)refused]++;
            pool.Free(packet);
            return false;
        }

        bool isWhole = true;
        uint number = (uint)Interlocked.Add(ref _packetNumber, segments.Remaining);
        while (segments.Remaining > 0)
        {
            Packet* segment = segments.TryNext(pool);
            if (segment == null)
            {
                drops[(int)DropReason.NoMemory]++;
                isWhole = false;
                break;
            }

            if (Wrap(pool, ref segment, template, in tunnel.Key, number--) is { } reason)
            {
                drops[(int)reason]++;
                pool.Free(segment);
                isWhole = false;
                continue;
            }

            isWhole &= Queue(pool, segment, template, ref ready, drops);
        }

        pool.Free(packet);
        return isWhole;
    }

    // Whether a packet too long for the path goes no further because its sender is told.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsAnswered(Packet* packet, TunnelTemplate template, TunnelKey tunnel) =>
        _codec.AnswersTooBig(in tunnel.Key) && _answers.TryAdd(ref *packet, template.Room, tunnel, template.Route);

    // Takes a wrapped packet: as it is, in fragments, or not at all.
    private bool Queue(PacketPool pool, Packet* packet, TunnelTemplate template, ref PacketBatch ready, Span<ulong> drops)
    {
        if (packet->Length <= template.Route.MaximumTransmissionUnit)
        {
            MakeRoom(pool, ref ready, drops);
            ready.Add(packet);
            return true;
        }

        bool isWhole = template.CanFragment;
        if (isWhole)
        {
            uint identification = template.IsIpv6 ? (uint)Interlocked.Increment(ref _packetNumber) : System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(packet->Bytes[4..]);
            OuterFragments fragments = new(packet->Bytes, template.IsIpv6, template.Route.MaximumTransmissionUnit, identification);
            while (fragments.HasNext)
            {
                Packet* fragment = fragments.TryNext(pool);
                if (fragment == null)
                {
                    drops[(int)DropReason.NoMemory]++;
                    isWhole = false;
                    break;
                }

                MakeRoom(pool, ref ready, drops);
                ready.Add(fragment);
            }
        }
        else
        {
            drops[(int)DropReason.TooBig]++;
        }

        pool.Free(packet);
        return isWhole;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void MakeRoom(PacketPool pool, ref PacketBatch ready, Span<ulong> drops)
    {
        if (ready.IsFull)
        {
            Send(pool, ref ready, drops);
        }
    }

    private void Send(PacketPool pool, ref PacketBatch ready, Span<ulong> drops)
    {
        if (ready.Count == 0)
        {
            return;
        }

        drops[(int)DropReason.TransmitQueueFull] += (uint)(ready.Count - _underlay.Send(ref ready));
        pool.Free(ref ready);
    }
}
