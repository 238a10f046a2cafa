using Engine.Platform;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tunnels;

/// <summary>The host's tunnel ports; every other kind of port is left to another factory.</summary>
/// <remarks>
/// <para>One port for each kind and UDP port serves all tunnels, as ovs-vswitchd expects. It comes to be in two ways: asked for by its type
/// over generic netlink, or as a device that was made over rtnetlink and is then added (<see cref="TunnelLink"/>).</para>
/// <para>Threads: the control thread, in the network namespace that the ports are of.</para>
/// </remarks>
/// <param name="others">Makes the ports that are no tunnels.</param>
public sealed class TunnelVportFactory(IVportFactory others) : IVportFactory
{
    // The kernel's vxlan port, from before there was an official one.
    private const ushort UsualVxlanPort = 8472;

    // Tunnel ports have no device of the host, but user space wants an index that no other port has. Those of devices count up from 1.
    private const int FirstIndex = 1 << 30;

    private readonly HashSet<(VportType Type, ushort Port)> _taken = [];
    private int _nextIndex = FirstIndex;

    /// <inheritdoc/>
    public Errno TryCreate(VportRequest request, out VportDevice? device)
    {
        ArgumentNullException.ThrowIfNull(request);
        ushort port = request.DestinationPort ?? 0;
        device = null;
        if (request.Type == VportType.Netdev && TunnelLink.Find(request.Name) is { } link)
        {
            return TryTakeOver(request, link, out device);
        }

        if (!IsTunnel(request.Type))
        {
            return others.TryCreate(request, out device);
        }

        if (!HostVportFactory.IsName(request.Name))
        {
            return Errno.InvalidArgument;
        }

        if (Directory.Exists($"/sys/class/net/{request.Name}"))
        {
            return Errno.Exists;
        }

        port = port == 0 && request.Type == VportType.Vxlan ? UsualVxlanPort : port;
        return request.Type switch
        {
            VportType.Vxlan => TryOpen(request, new VxlanCodec(port, request.HasGroupPolicy, request.IsGeneric), null, out device),
            VportType.Geneve => TryOpen(request, new GeneveCodec(port), null, out device),
            VportType.Gre => TryOpen(request, new GreCodec(isIpv6: false), null, out device),
            VportType.Ip6Gre => TryOpen(request, new GreCodec(isIpv6: true), null, out device),
            VportType.Erspan => TryOpen(request, new ErspanCodec(isIpv6: false), null, out device),
            VportType.Ip6Erspan => TryOpen(request, new ErspanCodec(isIpv6: true), null, out device),
            VportType.Gre64 => TryOpen(request, default(Gre64Codec), null, out device),
            VportType.Lisp => TryOpen(request, new LispCodec(port), null, out device),
            VportType.Gtpu => TryOpen(request, new GtpuCodec(port), null, out device),
            VportType.Srv6 => TryOpen(request, default(Srv6Codec), null, out device),
            _ => TryOpen(request, new BareUdpCodec(port), null, out device),
        };
    }

    private static bool IsTunnel(VportType type) => type.IsUdpTunnel()
        || type is VportType.Gre or VportType.Gre64 or VportType.Ip6Gre or VportType.Erspan or VportType.Ip6Erspan or VportType.Srv6;

    // The device stays where it is, down, so that whoever made it finds it and can delete it.
    private Errno TryTakeOver(VportRequest request, TunnelLink link, out VportDevice? device)
    {
        device = null;
        Errno errno = NetworkDevice.TryFind(request.Name, out NetworkDevice? host);
        if (host is null)
        {
            return errno;
        }

        errno = host.TrySetUp(false);
        if (errno == Errno.None)
        {
            errno = link.Type switch
            {
                VportType.Vxlan => TryOpen(request, new VxlanCodec(link.Port, link.HasGroupPolicy, link.IsGeneric), host, out device),
                VportType.Geneve => TryOpen(request, new GeneveCodec(link.Port), host, out device),
                _ => TryOpen(request, new GreCodec(isIpv6: false), host, out device),
            };
        }

        if (errno != Errno.None)
        {
            GiveBack(host);
        }

        return errno;
    }

    private Errno TryOpen<TCodec>(VportRequest request, TCodec codec, NetworkDevice? host, out VportDevice? device)
        where TCodec : struct, ITunnelCodec
    {
        device = null;
        // A UDP port that another type of tunnel has is taken as by any other program.
        ushort port = codec.Port;
        (VportType Type, ushort Port) place = (request.Type, port);
        if (_taken.Contains(place))
        {
            return request.Type == VportType.Geneve ? Errno.Busy : Errno.Exists;
        }

        Refusal refusal = SocketUnderlay.TryOpen(codec.Protocol, port, codec.GoesOver(isIpv6: false), codec.GoesOver(isIpv6: true), out SocketUnderlay? underlay);
        if (underlay is null)
        {
            return refusal.Errno;
        }

        _taken.Add(place);
        TunnelDriver<TCodec> driver = new(codec, underlay)
        {
            Closed = () =>
            {
                _taken.Remove(place);
                GiveBack(host);
            },
        };
        device = new VportDevice(request.Name, host?.Index ?? _nextIndex++, driver)
        {
            TakesBarePackets = codec.TakesBarePackets,
            Rings = driver.Rings,
            DestinationPort = port,
        };
        return Errno.None;
    }

    // Up again, if it is still there.
    private static void GiveBack(NetworkDevice? host)
    {
        host?.TrySetUp(true);
        host?.Dispose();
    }
}
