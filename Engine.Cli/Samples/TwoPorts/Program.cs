using Engine.Actions;
using Engine.Packets;
using Engine.Pipelines;
using Engine.Vports;

// TwoPorts LEFT-IN LEFT-OUT RIGHT-IN RIGHT-OUT: forwards between two ports, each of which is two captures.
using PipelineMemory memory = new(Edge.Table);
using CaptureWriter left = new(File.Create(args[1])), right = new(File.Create(args[3]));
Ports ports = new() { Left = left, Right = right };
foreach ((uint number, string name) in new[] { (1u, args[0]), (2u, args[2]) })
{
    CaptureReader.TryOpen(File.OpenRead(name), out CaptureReader? input, out _);
    while (input!.TryRead(out CapturedPacket packet))
    {
        Edge.Process(memory, number, packet.Bytes, ref ports);
    }
}

for (int i = 0; i < Edge.Table.Flows.Count; i++)
{
    Console.WriteLine($"{memory.ReadStats(i).Packets} packets: {Edge.Table.Flows[i].Text}");
}

[Pipeline]
[Flow("in_port(1),eth_type(0x0800),ipv4(dst=10.1.0.0/16,proto=6),tcp(dst=443)", "push_vlan(vid=7,pcp=0),2")]
[Flow("in_port(1),eth_type(0x0806)", "2")]
[Flow("in_port(2),eth_type(0x8100),vlan(vid=7),encap(eth_type(0x0800),ipv4(src=10.1.0.0/16))", "pop_vlan,1")]
[Flow("in_port(2),eth_type(0x0806)", "1")]
internal static partial class Edge;

internal struct Ports : IFrameSink
{
    public required CaptureWriter Left, Right;
    public readonly void Output(uint port, ReadOnlySpan<byte> frame) => (port == 1 ? Left : Right).TryWrite(frame, 0);
    public readonly void Miss(ReadOnlySpan<byte> frame) { }
    public readonly void Userspace(ReadOnlySpan<byte> frame, in UserspaceArguments arguments) { }
    public readonly void Drop(DropReason reason) { }
}
