using Engine.Netlink;

namespace Engine.Tests.Control;

/// <summary>Makes netlink requests, one after the other in one buffer.</summary>
internal sealed class RequestBuilder
{
    public const ushort Datapath = 0x7f00, Vport = 0x7f01, Flow = 0x7f02, Packet = 0x7f03, Meter = 0x7f04;

    private readonly List<byte> _bytes = [];
    private uint _sequence;

    public delegate void PutAttributes(ref NetlinkWriter writer);

    /// <summary>Everything made so far.</summary>
    public byte[] Bytes => [.. _bytes];

    /// <summary>Adds a request.</summary>
    public RequestBuilder Add(ushort family, byte command, ushort flags, int ifindex, PutAttributes? attributes = null)
    {
        byte[] buffer = new byte[8192];
        NetlinkWriter writer = new(buffer);
        int start = writer.BeginMessage(new NetlinkHeader { Type = family, Flags = (ushort)(flags | NetlinkFlags.Request), Sequence = ++_sequence });
        writer.PutRaw([command, family == Datapath ? (byte)2 : (byte)1, 0, 0]);
        if (family != 0x10)
        {
            writer.PutRaw(BitConverter.GetBytes(ifindex));
        }

        attributes?.Invoke(ref writer);
        writer.EndMessage(start);
        _bytes.AddRange(writer.Written);
        return this;
    }

    /// <summary>A datapath whose upcalls go to a port id.</summary>
    public RequestBuilder NewDatapath(string name, uint portId = 0, ushort flags = NetlinkFlags.Ack) => Add(Datapath, 1, flags, 0, (ref writer) =>
    {
        writer.PutOvsDatapathName(name);
        writer.PutOvsDatapathUpcallPortId(portId);
    });

    /// <summary>A port whose upcalls go to a port id.</summary>
    public RequestBuilder NewVport(int ifindex, string name, uint type, uint portId = 0, ushort flags = NetlinkFlags.Ack) => Add(Vport, 1, flags, ifindex, (ref writer) =>
    {
        writer.PutOvsVportName(name);
        writer.PutOvsVportType(type);
        writer.PutOvsVportUpcallPortIds(BitConverter.GetBytes(portId));
    });
}
