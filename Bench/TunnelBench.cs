using System.Diagnostics;
using System.Globalization;
using Bench.Peers;
using BenchmarkDotNet.Attributes;
using Engine.Datapaths;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;
using Engine.Text;
using Engine.Tunnels;
using Engine.Vports;

namespace Bench;

/// <summary>What a tunnel costs over plain output: the same frames to a port that discards, wrapped for a network that discards, and unwrapped from one.</summary>
[MemoryDiagnoser]
public class TunnelBench
{
    private const int Rounds = 32;

    private readonly PacketStore _store = new();
    private Datapath _datapath = null!;
    private Vport _plain = null!, _wrap = null!, _unwrap = null!;
    private VportRing _ring = null!;

    /// <summary>Makes the ports and flows.</summary>
    [GlobalSetup]
    public void Setup()
    {
        byte[] frame = Traffic.Udp4(1)[0];
        _store.Add(frame);
        Memory memory = new([8, 0, 0, 0, 0, 0, 5, 0, .. frame]);
        TunnelDriver<VxlanCodec> driver = new(new VxlanCodec(4789), memory);
        _ring = driver.Rings[0];
        _datapath = new Datapath();
        _datapath.AddVport(1, "plain", VportType.Pcap, new PcapLoopDriver(_store), out _plain);
        _datapath.AddVport(2, "out", VportType.Null, new NullDriver(), out _);
        _datapath.AddVport(3, "wrap", VportType.Pcap, new PcapLoopDriver(_store), out _wrap);
        _datapath.AddVport(4, "vxlan", VportType.Vxlan, driver, out _unwrap);
        Flows.AddExact(_datapath, frame, inPort: 1, "2");
        Flows.AddExact(_datapath, frame, inPort: 3, "set(tunnel(tun_id=0x5,dst=10.99.0.2,ttl=64,flags(key))),4");
        const string Unwrapped = "tunnel(tun_id=0x5,src=10.99.0.2,dst=10.99.0.1,ttl=64,flags(key)),in_port(4),eth(),eth_type(0x0800),ipv4(frag=no) 2";
        if (!FlowFile.TryParse("flows", Unwrapped, out IReadOnlyList<FlowLine> lines, out _) || lines[0].Install(_datapath.Flows, out _) is not null)
        {
            throw new InvalidOperationException(Unwrapped);
        }
    }

    /// <summary><c>tunnel</c>: all of it in turn, in cycles a packet of one core.</summary>
    public static int Run()
    {
        const int Turns = 200, Invocations = 40, WarmUpSeconds = 4;
        Processor.Pin(Processor.Measured);
        TunnelBench bench = new();
        bench.Setup();
        (string Name, Func<int> Work)[] all = [("plain", bench.Plain), ("wrap", bench.Wrap), ("unwrap", bench.Unwrap)];
        List<double>[] cycles = [.. all.Select(static _ => new List<double>())];
        long start = Stopwatch.GetTimestamp();
        int turn = 0;
        while (turn < Turns)
        {
            // Until then methods are still compiled.
            bool isWarm = Stopwatch.GetElapsedTime(start).TotalSeconds > WarmUpSeconds;
            for (int i = 0; i < all.Length; i++)
            {
                ulong before = TimestampCounter.Now;
                int packets = 0;
                for (int j = 0; j < Invocations; j++)
                {
                    packets += all[i].Work();
                }

                if (isWarm)
                {
                    cycles[i].Add((double)(TimestampCounter.Now - before) / packets);
                }
            }

            turn += isWarm ? 1 : 0;
        }

        bench.Cleanup();
        Print("medians", [.. cycles.Select(PeersReport.Median)]);

        // What it takes when nobody else is on the processor.
        Print("best quarter", [.. cycles.Select(static each => PeersReport.Median([.. each.Order().Take(each.Count / 4)]))]);
        return 0;

        static void Print(string name, double[] of) => Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"cycles a packet, {name}: plain {of[0]:F0}, wrap {of[1]:F0} (+{of[1] - of[0]:F0}), unwrap {of[2]:F0} (+{of[2] - of[0]:F0})"));
    }

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _datapath.Dispose();
    }

    /// <summary>Output to a port that discards.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Rounds * PacketBatch.Capacity)]
    public int Plain() => Run(_plain, _plain.Driver);

    /// <summary>VXLAN header on, to a network that discards.</summary>
    [Benchmark(OperationsPerInvoke = Rounds * PacketBatch.Capacity)]
    public int Wrap() => Run(_wrap, _wrap.Driver);

    /// <summary>VXLAN header off, then output to a port that discards.</summary>
    [Benchmark(OperationsPerInvoke = Rounds * PacketBatch.Capacity)]
    public int Unwrap() => Run(_unwrap, _ring.Driver);

    private int Run(Vport vport, IVportDriver ring)
    {
        int packets = 0;
        Worker worker = _datapath.Workers[0];
        while (packets < Rounds * PacketBatch.Capacity)
        {
            packets += worker.Poll(vport, ring);
        }

        return packets;
    }

    /// <summary>
    /// A network that takes everything, and where the same datagram arrives for ever. It is copied into each place of the batch once and then found
    /// there: that copy is the kernel's in a socket. Plain packets are copied once too, and so are those unwrapped: from where they are found into a frame.
    /// </summary>
    private sealed class Memory(byte[] datagram) : ITunnelUnderlay, IDatagramSource
    {
        private static readonly Datagram About = new() { Ipv4Source = 0x0a630002, Ipv4Destination = 0x0a630001, Ttl = 64, SourcePort = 40000 };

        private int _filled;

        public IReadOnlyList<IDatagramSource> Sources => [this];

        public System.Runtime.InteropServices.SafeHandle? WaitHandle => null;

        public int RouteGeneration => 1;

        public Errno FindRoute(in Engine.Flows.FlowKey tunnel, out OuterRoute route)
        {
            route = new OuterRoute(0x0a630001, default, 1500);
            return Errno.None;
        }

        public int Send(ref PacketBatch packets) => packets.Count;

        public void Receive(DatagramBatch datagrams)
        {
            while (datagrams.Count < DatagramBatch.Capacity)
            {
                if (_filled != DatagramBatch.Capacity)
                {
                    datagrams.Add(in About, datagram);
                    _filled++;
                }
                else
                {
                    datagrams.AddFilled(About with { Length = datagram.Length });
                }
            }
        }

        public void Dispose()
        {
        }
    }
}
