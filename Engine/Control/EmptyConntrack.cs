using System.Runtime.InteropServices;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Control;

/// <summary>Conntrack over NETLINK_NETFILTER while nothing is tracked: dumps are empty, nothing is found, and what is flushed was not there (linux/netfilter/nfnetlink_conntrack.h).</summary>
internal static class EmptyConntrack
{
    // NFNL_SUBSYS_CTNETLINK and _CTNETLINK_EXP; other subsystems (nf_tables, timeouts) are the kernel's.
    private const int ConnectionSubsystem = 1, ExpectationSubsystem = 2;

    private const int GetMessage = 1;

    /// <summary>Whether messages of this type are conntrack's.</summary>
    public static bool Serves(ushort type) => type >> 8 is ConnectionSubsystem or ExpectationSubsystem;

    /// <summary>Answers every message of a buffer.</summary>
    public static void Answer(SocketClient client, ReadOnlySpan<byte> buffer)
    {
        foreach (ReadOnlySpan<byte> message in new NetlinkMessages(buffer))
        {
            AnswerOne(client, NetlinkMessages.HeaderOf(message), message);
        }
    }

    private static void AnswerOne(SocketClient client, in NetlinkHeader header, ReadOnlySpan<byte> message)
    {
        bool isGet = (header.Type & 0xff) == GetMessage;
        bool isDump = isGet && header.Has(NetlinkFlags.Dump);
        Errno errno = isGet && !isDump ? Errno.NoEntry : Errno.None;
        if (!header.Has(NetlinkFlags.Request) || (errno == Errno.None && !isDump && !header.Has(NetlinkFlags.Ack)))
        {
            return;
        }

        ReadOnlySpan<byte> repeated = isDump ? default : errno == Errno.None ? message[..NetlinkHeader.Size] : message;
        byte[] buffer = new byte[NetlinkHeader.Size + sizeof(int) + repeated.Length];
        NetlinkWriter writer = new(buffer);
        int start = writer.BeginMessage(new NetlinkHeader
        {
            Type = isDump ? NetlinkHeader.DoneType : NetlinkHeader.ErrorType,
            Flags = isDump ? NetlinkFlags.Multi : errno == Errno.None ? NetlinkFlags.Capped : (ushort)0,
            Sequence = header.Sequence,
            PortId = client.PortId,
        });
        int result = -(int)errno;
        writer.PutRaw(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in result)));
        writer.PutRaw(repeated);
        writer.EndMessage(start);
        client.Forward(writer.Written);
    }
}
