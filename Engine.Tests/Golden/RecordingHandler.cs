using Engine.Flows;
using Engine.Netlink;
using Engine.Upcalls;

namespace Engine.Tests.Golden;

/// <summary>An upcall as it would stand in a message.</summary>
internal sealed record RecordedUpcall(
    UpcallCommand Command, uint PortId, byte[] Key, byte[] Packet, byte[]? Userdata, byte[]? EgressTunnel, byte[]? Actions, int OriginalLength, int MaximumReceiveUnit);

/// <summary>Keeps every upcall that somebody listens for, in order.</summary>
internal sealed unsafe class RecordingHandler : IUpcallHandler
{
    /// <summary>The netlink port id of the recorder. What an action sends to another one reaches nobody.</summary>
    public const uint PortId = 65538;

    /// <summary>What came up since the last <see cref="Clear"/>.</summary>
    public List<RecordedUpcall> Upcalls { get; } = [];

    public void Clear() => Upcalls.Clear();

    public void Handle(ref Upcall upcall, IUpcallReply port)
    {
        if (upcall.Command == UpcallCommand.Action && upcall.PortId != PortId)
        {
            return;
        }

        Span<byte> buffer = stackalloc byte[1024];
        NetlinkWriter writer = new(buffer);
        FlowKey.WriteNetlink(in upcall.Key, ref writer);
        Assert.False(writer.Overflowed);
        Upcalls.Add(new RecordedUpcall(
            upcall.Command,
            upcall.PortId,
            writer.Written.ToArray(),
            upcall.Bytes.ToArray(),
            upcall.HasUserdata ? upcall.Userdata.ToArray() : null,
            upcall.EgressTunnel.IsEmpty ? null : upcall.EgressTunnel.ToArray(),
            upcall.HasActions ? upcall.Actions.ToArray() : null,
            upcall.OriginalLength,
            upcall.Packet->MaximumReceiveUnit));
    }
}
