using Engine.Flows;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>The host's network: sockets that receive, raw sockets that send whole packets by the host's routes, neighbours and policies.</summary>
/// <remarks>Of the network namespace of the thread that opened it. Threads: as <see cref="ITunnelUnderlay"/>.</remarks>
internal sealed unsafe class SocketUnderlay : ITunnelUnderlay
{
    private readonly List<DatagramSocket> _receivers = [];
    private readonly RouteMonitor _monitor = new();
    private readonly RouteProbe _probe = new();
    private readonly Lock _probeLock = new();
    private RawIpSocket? _ipv4;
    private RawIpSocket? _ipv6;

    /// <inheritdoc/>
    public IReadOnlyList<IDatagramSource> Sources => _receivers;

    /// <inheritdoc/>
    public int RouteGeneration => _monitor.GenerationAt(Environment.TickCount64);

    /// <summary>Opens the sockets for a kind of tunnel.</summary>
    /// <param name="protocol">UDP, GRE, or the routing header of IPv6.</param>
    /// <param name="port">Of UDP.</param>
    /// <param name="overIpv4">Whether it goes over IPv4.</param>
    /// <param name="overIpv6">Whether it goes over IPv6. Where the host has none and IPv4 will do, it is left out.</param>
    /// <param name="underlay">The network, or null when refused.</param>
    /// <returns>EADDRINUSE when the port is taken, EPERM without CAP_NET_RAW and CAP_NET_ADMIN, EAFNOSUPPORT without the address family.</returns>
    public static Refusal TryOpen(byte protocol, ushort port, bool overIpv4, bool overIpv6, out SocketUnderlay? underlay)
    {
        underlay = null;
        SocketUnderlay? opened = null;
        try
        {
            opened = new SocketUnderlay();
            if (overIpv4)
            {
                opened.Open(protocol, port, isIpv6: false);
            }

            if (overIpv6)
            {
                try
                {
                    opened.Open(protocol, port, isIpv6: true);
                }
                catch (SystemCallException exception) when (overIpv4 && exception.Errno == Errno.AddressFamilyNotSupported)
                {
                    // As the kernel's tunnels, which then have one socket only.
                }
            }

            underlay = opened;
            return Refusal.None;
        }
        catch (SystemCallException exception)
        {
            opened?.Dispose();
            return new Refusal(exception.Errno, exception.Message);
        }
    }

    /// <inheritdoc/>
    public Errno FindRoute(in FlowKey tunnel, out OuterRoute route)
    {
        Be32 ipv4 = tunnel.TunnelIpv4Source;
        Ipv6Address ipv6 = tunnel.TunnelIpv6Source;
        int mtu;
        Errno errno;
        lock (_probeLock)
        {
            errno = tunnel.TunnelProtocol == TunnelFamily.Ipv6
                ? _probe.Find(in tunnel.TunnelIpv6Destination, ref ipv6, out mtu)
                : _probe.Find(tunnel.TunnelIpv4Destination, ref ipv4, out mtu);
        }

        route = new OuterRoute(ipv4, ipv6, mtu);
        return errno;
    }

    /// <inheritdoc/>
    public int Send(ref PacketBatch packets)
    {
        const int Ipv6Version = 6;
        Span<(nint Data, int Length)> places = stackalloc (nint Data, int Length)[RawIpSocket.Capacity];
        int sent = 0;
        for (int start = 0; start < packets.Count;)
        {
            // Neighbours of one version of IP in one call.
            bool isIpv6 = packets[start].Bytes[0] >> 4 == Ipv6Version;
            int end = start;
            while (end < packets.Count && packets[end].Bytes[0] >> 4 == Ipv6Version == isIpv6)
            {
                Packet* packet = packets.Pointer(end);
                places[end - start] = ((nint)packet + packet->DataOffset, packet->Length);
                end++;
            }

            sent += (isIpv6 ? _ipv6 : _ipv4)?.Send(places[..(end - start)]) ?? 0;
            start = end;
        }

        return sent;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _receivers.ForEach(static socket => socket.Dispose());
        _ipv4?.Dispose();
        _ipv6?.Dispose();
        _probe.Dispose();
        _monitor.Dispose();
    }

    private void Open(byte protocol, ushort port, bool isIpv6)
    {
        _receivers.AddRange(protocol == IpProtocols.Udp ? DatagramSocket.OpenUdp(isIpv6, port) : [DatagramSocket.OpenRaw(isIpv6, protocol)]);
        if (isIpv6)
        {
            _ipv6 = new RawIpSocket(isIpv6: true);
        }
        else
        {
            _ipv4 = new RawIpSocket(isIpv6: false);
        }
    }
}
