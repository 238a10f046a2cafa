using Engine.Primitives;
using Engine.Protocols;
using Engine.Vports;

namespace Engine.Tunnels;

/// <summary>The host's tunnel ports; every other kind of port is left to another factory.</summary>
/// <remarks>
/// <para>One port for each kind and UDP port serves all tunnels, as ovs-vswitchd expects.</para>
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
        switch (request.Type)
        {
            case VportType.Vxlan:
                port = port == 0 ? UsualVxlanPort : port;
                return TryOpen(request, port, new VxlanCodec(port, request.HasGroupPolicy, request.IsGeneric), Errno.Exists, out device);
            case VportType.Geneve:
                return TryOpen(request, port, new GeneveCodec(port), Errno.Busy, out device);
            case VportType.Gre:
                return TryOpen(request, 0, new GreCodec(isIpv6: false), Errno.Exists, out device);
            default:
                return others.TryCreate(request, out device);
        }
    }

    private Errno TryOpen<TCodec>(VportRequest request, ushort port, TCodec codec, Errno whenTaken, out VportDevice? device)
        where TCodec : struct, ITunnelCodec
    {
        device = null;
        if (!HostVportFactory.IsName(request.Name))
        {
            return Errno.InvalidArgument;
        }

        if (Directory.Exists($"/sys/class/net/{request.Name}"))
        {
            return Errno.Exists;
        }

        if (_taken.Contains((request.Type, port)))
        {
            return whenTaken;
        }

        Refusal refusal = SocketUnderlay.TryOpen(codec.Protocol, port, codec.GoesOver(isIpv6: false), codec.GoesOver(isIpv6: true), out SocketUnderlay? underlay);
        if (underlay is null)
        {
            return refusal.Errno;
        }

        _taken.Add((request.Type, port));
        TunnelDriver<TCodec> driver = new(codec, underlay) { Closed = () => _taken.Remove((request.Type, port)) };
        device = new VportDevice(request.Name, _nextIndex++, driver)
        {
            TakesBarePackets = codec.TakesBarePackets,
            Rings = driver.Rings,
            DestinationPort = port,
        };
        return Errno.None;
    }
}
