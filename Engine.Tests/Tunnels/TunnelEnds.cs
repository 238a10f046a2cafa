using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Tunnels;
using Engine.Vports;

namespace Engine.Tests.Tunnels;

/// <summary>A tunnel port in memory: packets go in with a tunnel and come out as IP packets, and the other way round.</summary>
internal abstract unsafe class TunnelEnds : IDisposable
{
    private const int DropReasons = 64;

    private readonly FlowKey[] _keys = new FlowKey[PacketBatch.Capacity];

    /// <summary>One for each kind, over a network in memory.</summary>
    public static TunnelEnds Of(string kind) => Of(kind, static (protocol, port, _, _) => new MemoryUnderlay(protocol, port));

    /// <summary>The same over the sockets of the network namespace of the calling thread.</summary>
    public static TunnelEnds OverSockets(string kind) => Of(kind, static (protocol, port, overIpv4, overIpv6) =>
    {
        Refusal refusal = SocketUnderlay.TryOpen(protocol, port, overIpv4, overIpv6, out SocketUnderlay? underlay);
        return underlay ?? throw new InvalidOperationException($"{refusal}");
    });

    private static TunnelEnds Of(string kind, Func<byte, ushort, bool, bool, ITunnelUnderlay> open) => kind switch
    {
        "vxlan" => new TunnelEnds<VxlanCodec>(new VxlanCodec(4789), open),
        "gbp" => new TunnelEnds<VxlanCodec>(new VxlanCodec(4790, hasGroupPolicy: true), open),
        "gpe" => new TunnelEnds<VxlanCodec>(new VxlanCodec(4791, isGeneric: true), open),
        "geneve" => new TunnelEnds<GeneveCodec>(new GeneveCodec(6081), open),
        "gre" => new TunnelEnds<GreCodec>(new GreCodec(isIpv6: false), open),
        "ip6gre" => new TunnelEnds<GreCodec>(new GreCodec(isIpv6: true), open),
        "erspan" => new TunnelEnds<ErspanCodec>(new ErspanCodec(isIpv6: false), open),
        "ip6erspan" => new TunnelEnds<ErspanCodec>(new ErspanCodec(isIpv6: true), open),
        "bareudp" => new TunnelEnds<BareUdpCodec>(new BareUdpCodec(6635), open),
        "gre64" or "ip6gre64" => new TunnelEnds<Gre64Codec>(default, open),
        "lisp" or "ip6lisp" => new TunnelEnds<LispCodec>(new LispCodec(4341), open),
        "gtpu" or "ip6gtpu" => new TunnelEnds<GtpuCodec>(new GtpuCodec(2152), open),
        "ip6srv6" => new TunnelEnds<Srv6Codec>(default, open),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>The kinds; those that start with "ip6" over IPv6.</summary>
    public static IReadOnlyList<string> Kinds { get; } =
        ["vxlan", "gbp", "gpe", "geneve", "gre", "ip6gre", "erspan", "ip6erspan", "bareudp", "gre64", "ip6gre64", "lisp", "ip6lisp", "gtpu", "ip6gtpu", "ip6srv6"];

    /// <summary>Whether the kind carries IP packets and no Ethernet frames.</summary>
    public static bool IsBare(string kind) => kind is "bareudp" or "lisp" or "ip6lisp" or "gtpu" or "ip6gtpu" or "ip6srv6";

    /// <summary>Whether the kind goes over UDP.</summary>
    public static bool IsUdp(string kind) => kind is "vxlan" or "gbp" or "gpe" or "geneve" or "bareudp" or "lisp" or "ip6lisp" or "gtpu" or "ip6gtpu";

    /// <summary>The network, if it is one in memory.</summary>
    public abstract MemoryUnderlay Underlay { get; }

    /// <summary>The port.</summary>
    public abstract ITunnelDriver Driver { get; }

    /// <summary>Where packets are of.</summary>
    public PacketPool Pool { get; } = new(256);

    /// <summary>Drops so far, by reason.</summary>
    public ulong[] Drops { get; } = new ulong[DropReasons];

    /// <summary>Sends one packet by a tunnel.</summary>
    /// <returns>Whether the port sent it.</returns>
    public bool Send(TunnelKey tunnel, ReadOnlySpan<byte> bytes, PacketOffload offload = default, bool hasEthernet = true, ushort etherType = 0)
    {
        Packet* packet = Pool.TryAllocate(bytes.Length);
        Assert.True(packet != null && packet->TrySetBytes(bytes));
        packet->Offload = offload;
        packet->HasEthernet = hasEthernet;
        packet->Protocol = etherType;
        packet->FlowHash = 0x1234_5678;
        PacketBatch batch = default;
        batch.Add(packet);
        return Driver.Transmit(Pool, ref batch, [tunnel], Drops) == 1;
    }

    /// <summary>Receives what has arrived and hands over each packet with its key.</summary>
    public List<(FlowKey Key, byte[] Bytes)> Receive() => Receive(Driver.Rings[0]);

    /// <summary>What the port itself has to say.</summary>
    public List<(FlowKey Key, byte[] Bytes)> ReceiveAnswers() => Receive(Driver.Rings[^1]);

    /// <summary>Receives by all ways in.</summary>
    public List<(FlowKey Key, byte[] Bytes)> ReceiveFromAll() => [.. Driver.Rings.SelectMany(Receive)];

    private List<(FlowKey Key, byte[] Bytes)> Receive(VportRing ring)
    {
        List<(FlowKey, byte[])> received = [];
        while (true)
        {
            PacketBatch batch = default;
            ((ITunnelReceiver)ring.Driver).Receive(Pool, ref batch, _keys, Drops);
            if (batch.Count == 0)
            {
                return received;
            }

            for (int i = 0; i < batch.Count; i++)
            {
                Packet* packet = batch.Pointer(i);
                Assert.True(FlowKeyExtractor.TryReceiveTunneled(packet, ref _keys[i], 7) || packet->HasEthernet || packet->Length < 64);
                received.Add((_keys[i], packet->Bytes.ToArray()));
                Pool.Free(packet);
            }
        }
    }

    /// <summary>Receives what has arrived and throws it away.</summary>
    /// <returns>How many packets came.</returns>
    public int Drain()
    {
        int count = 0;
        while (true)
        {
            PacketBatch batch = default;
            ((ITunnelReceiver)Driver.Rings[0].Driver).Receive(Pool, ref batch, _keys, Drops);
            for (int i = 0; i < batch.Count; i++)
            {
                Pool.Free(batch.Pointer(i));
            }

            if (batch.Count == 0)
            {
                return count;
            }

            count += batch.Count;
        }
    }

    /// <summary>A tunnel to a neighbour that has a route, with everything the kind can carry.</summary>
    public static TunnelKey Tunnel(string kind, TunnelKeyFlags flags = TunnelKeyFlags.None, byte tos = 0, byte ttl = 63, int optionWords = 3)
    {
        FlowKey key = default;
        bool isIpv6 = kind.StartsWith("ip6", StringComparison.Ordinal);
        key.TunnelProtocol = isIpv6 ? TunnelFamily.Ipv6 : TunnelFamily.Ipv4;
        key.TunnelIpv4Destination = isIpv6 ? 0u : 0x0a630002u;
        key.TunnelIpv6Destination = isIpv6 ? new Ipv6Address(Convert.FromHexString("20010db8009900000000000000000002")) : default;
        key.TunnelId = kind switch { "bareudp" or "ip6srv6" => 0, "gre64" or "ip6gre64" => 0x0123_4567_89ab_cdef, _ => 0x155ul };
        key.TunnelFlags = flags | (kind == "ip6srv6" ? 0 : TunnelKeyFlags.Key);
        key.TunnelTos = tos;
        key.TunnelTtl = ttl;
        switch (kind)
        {
            case "geneve":
                byte[] options = new byte[optionWords * 4];
                options[1] = 2;
                options[2] = 0x21;
                options[3] = (byte)Math.Min(31, optionWords - 1);
                key.SetTunnelOptions(options, TunnelKeyFlags.GeneveOptions);
                break;
            case "gbp":
                key.SetTunnelOptions([0x23, 0x01, 0x08, 0x00], TunnelKeyFlags.VxlanOptions);
                break;
            case "erspan":
                key.SetTunnelOptions([1, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0], TunnelKeyFlags.ErspanOptions);
                break;
            case "ip6erspan":
                key.SetTunnelOptions([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x82, 0x58], TunnelKeyFlags.ErspanOptions);
                break;
        }

        return new TunnelKey(in key);
    }

    public void Dispose()
    {
        Driver.Dispose();
        Assert.Equal(0, Pool.UsedCount);
        Pool.Dispose();
    }
}

/// <inheritdoc/>
internal sealed class TunnelEnds<TCodec> : TunnelEnds
    where TCodec : struct, ITunnelCodec
{
    private readonly ITunnelUnderlay _underlay;

    public TunnelEnds(TCodec codec, Func<byte, ushort, bool, bool, ITunnelUnderlay> open)
    {
        _underlay = open(codec.Protocol, codec.Port, codec.GoesOver(isIpv6: false), codec.GoesOver(isIpv6: true));
        Driver = new TunnelDriver<TCodec>(codec, _underlay);
    }

    public override MemoryUnderlay Underlay => (MemoryUnderlay)_underlay;

    public override ITunnelDriver Driver { get; }
}
