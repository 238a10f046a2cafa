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

    private readonly HashSet<(byte Protocol, ushort Port)> _taken = [];
    private int _nextIndex = FirstIndex;

    /// <inheritdoc/>
    public Errno TryCreate(VportRequest request, out VportDevice? device)
    {
        ArgumentNullException.ThrowIfNull(request);
        ushort port = request.DestinationPort ?? 0;
        device = null;
        switch (request.Type)
        {
            case VportType.Netdev when TunnelLink.Find(request.Name) is { } link:
                return TryTakeOver(request, link, out device);
            case VportType.Vxlan or VportType.Geneve or VportType.Gre when !HostVportFactory.IsName(request.Name):
                return Errno.InvalidArgument;
            case VportType.Vxlan or VportType.Geneve or VportType.Gre when Directory.Exists($"/sys/class/net/{request.Name}"):
                return Errno.Exists;
            case VportType.Vxlan:
                port = port == 0 ? UsualVxlanPort : port;
                return TryOpen(request, port, new VxlanCodec(port, request.HasGroupPolicy, request.IsGeneric), null, out device);
            case VportType.Geneve:
                return TryOpen(request, port, new GeneveCodec(port), null, out device);
            case VportType.Gre:
                return TryOpen(request, 0, new GreCodec(isIpv6: false), null, out device);
            default:
                return others.TryCreate(request, out device);
        }
    }

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
                VportType.Vxlan => TryOpen(request, link.Port, new VxlanCodec(link.Port, link.HasGroupPolicy, link.IsGeneric), host, out device),
                VportType.Geneve => TryOpen(request, link.Port, new GeneveCodec(link.Port), host, out device),
                _ => TryOpen(request, 0, new GreCodec(isIpv6: false), host, out device),
            };
        }

        if (errno != Errno.None)
        {
            GiveBack(host);
        }

        return errno;
    }

    private Errno TryOpen<TCodec>(VportRequest request, ushort port, TCodec codec, NetworkDevice? host, out VportDevice? device)
        where TCodec : struct, ITunnelCodec
    {
        device = null;
        if (_taken.Contains((codec.Protocol, port)))
        {
            return request.Type == VportType.Geneve ? Errno.Busy : Errno.Exists;
        }

        Refusal refusal = SocketUnderlay.TryOpen(codec.Protocol, port, codec.GoesOver(isIpv6: false), codec.GoesOver(isIpv6: true), out SocketUnderlay? underlay);
        if (underlay is null)
        {
            return refusal.Errno;
        }

        _taken.Add((codec.Protocol, port));
        TunnelDriver<TCodec> driver = new(codec, underlay)
        {
            Closed = () =>
            {
                _taken.Remove((codec.Protocol, port));
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
