using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Platform;
using Engine.Vports;

namespace Engine.Tunnels;

/// <summary>A way into a tunnel port for what the port itself says: that a packet was too long. It comes as if from the tunnel's other end.</summary>
/// <remarks>
/// Rare: what there is no room for is not said. Threads: any number add, under a lock; one worker receives. Whoever adds wakes it by an eventfd.
/// </remarks>
internal sealed unsafe class TunnelAnswers : ITunnelReceiver
{
    private const int Capacity = PacketBatch.Capacity;

    private readonly FileDescriptor _ready = FileDescriptor.FromCall(Libc.eventfd(0, Libc.O_NONBLOCK | Libc.O_CLOEXEC), "eventfd");
    private readonly Lock _gate = new();
    private readonly byte[] _bytes = new byte[Capacity * TooBigAnswer.MaximumLength];
    private readonly Answer[] _answers = new Answer[Capacity];
    private int _count;

    /// <summary>Readable while there are any.</summary>
    public SafeHandle WaitHandle => _ready;

    /// <summary>Answers a packet that is too long for its tunnel, if it may be answered and there is room.</summary>
    /// <param name="packet">The packet; it stays the caller's.</param>
    /// <param name="room">The longest packet that would go by the tunnel, Ethernet header included.</param>
    /// <param name="tunnel">The tunnel.</param>
    /// <param name="route">How the host reaches the other end.</param>
    /// <returns>Whether the sender is told, or would be if there were room; then the packet is to be dropped.</returns>
    public bool TryAdd(ref Packet packet, int room, TunnelKey tunnel, in OuterRoute route)
    {
        const int EthernetLength = 14;
        int mtu = room - (packet.HasEthernet ? EthernetLength : 0);
        Span<byte> answer = stackalloc byte[TooBigAnswer.MaximumLength];
        int length = TooBigAnswer.Write(packet.Bytes, packet.HasEthernet, mtu, answer);
        if (length == 0)
        {
            return false;
        }

        lock (_gate)
        {
            if (_count < Capacity)
            {
                answer[..length].CopyTo(_bytes.AsSpan(_count * TooBigAnswer.MaximumLength));
                _answers[_count++] = new Answer(tunnel, route, length, packet.HasEthernet);
                ulong one = 1;
                _ = Libc.write(_ready.Number, &one, sizeof(ulong));
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch, Span<FlowKey> keys, Span<ulong> drops)
    {
        lock (_gate)
        {
            ulong ignored;
            _ = Libc.read(_ready.Number, &ignored, sizeof(ulong));
            for (int i = 0; i < _count; i++)
            {
                Packet* packet = pool.TryAllocate(_answers[i].Length);
                if (packet == null)
                {
                    drops[(int)DropReason.NoMemory]++;
                    continue;
                }

                ReadOnlySpan<byte> bytes = _bytes.AsSpan(i * TooBigAnswer.MaximumLength, _answers[i].Length);
                packet->SetData(Packet.DefaultDataOffset, bytes.Length);
                bytes.CopyTo(packet->Bytes);
                packet->HasEthernet = _answers[i].HasEthernet;
                WriteKey(ref keys[batch.Count], in _answers[i], bytes);
                batch.Add(packet);
            }

            Array.Clear(_answers, 0, _count);
            _count = 0;
        }
    }

    /// <inheritdoc/>
    // A packet is nothing without its tunnel, so none is taken.
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
    }

    /// <inheritdoc/>
    // Nothing is sent by a way in.
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        pool.Free(ref batch);
        return 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _ready.Dispose();

    // As in the kernel (vxlan_xmit_one, geneve_xmit_skb): the tunnel as it was to be sent, but from the other end to this one.
    private static void WriteKey(ref FlowKey key, in Answer answer, ReadOnlySpan<byte> bytes)
    {
        ref readonly FlowKey tunnel = ref answer.Tunnel.Key;
        key.BeginTunnel();
        key.TunnelProtocol = tunnel.TunnelProtocol;
        key.TunnelId = tunnel.TunnelId;
        key.TunnelFlags = tunnel.TunnelFlags;
        key.TunnelTos = tunnel.TunnelTos;
        key.TunnelTtl = tunnel.TunnelTtl;
        key.TunnelTransportSource = tunnel.TunnelTransportSource;
        key.TunnelTransportDestination = tunnel.TunnelTransportDestination;
        if (tunnel.TunnelProtocol == TunnelFamily.Ipv6)
        {
            key.TunnelIpv6Source = tunnel.TunnelIpv6Destination;
            key.TunnelIpv6Destination = answer.Route.Ipv6Source;
        }
        else
        {
            key.TunnelIpv4Source = tunnel.TunnelIpv4Destination;
            key.TunnelIpv4Destination = answer.Route.Ipv4Source;
        }

        key.SetTunnelOptions(((ReadOnlySpan<byte>)tunnel.TunnelOptions)[..tunnel.TunnelOptionsLength], TunnelKeyFlags.None);
        if (!answer.HasEthernet)
        {
            key.EtherType = TunnelPayload.OfIp(bytes, 0).EtherType;
        }
    }

    private readonly record struct Answer(TunnelKey Tunnel, OuterRoute Route, int Length, bool HasEthernet);
}
