using Engine.Netlink;
using Engine.Tests.Golden;

namespace Engine.Tests.Conformance;

/// <summary>What the commands did that were recorded between those of dpctl.jsonl and are not in the file: packets, and flows added and removed.</summary>
/// <remarks>A gap is filled only when no vector of the file has its number or name, so a longer file is played as it stands.</remarks>
internal sealed class DpctlGaps(IReadOnlyList<DpctlVector> vectors)
{
    // The number of p2 in ovs-vswitchd's datapath.
    private const byte SecondPort = 3;

    public static readonly byte[] TcpFrame = Convert.FromHexString(
        "0200000000020200000000010800" + "4500002800000000400666cd0a0000010a000002" + "03e80050000000000000000050000000" + "00000000");

    public static readonly byte[] UdpFrame = Convert.FromHexString(
        "0200000000020200000000010800" + "4500001c00000000401166cd0a0100010a000002" + "03e8003500080000");

    /// <summary>Does what came before a command and is not in the file.</summary>
    public void Fill(DpctlPlayer player, DpctlVector next)
    {
        switch (next.Name)
        {
            case "dpctl-32-add-flow-empty" when IsMissing("dpctl-30") && IsMissing("dpctl-31"):
                AddRecirculatedFlow(player);
                break;
            case "dpctl-35-add-flow-tunnel" when IsMissing("dpctl-34"):
                GoldenMessage mpls = FindDumped(static key => Find(key, OvsKeyAttribute.Mpls) is not []);
                player.AddFlow([], Attribute(mpls, OvsFlowAttribute.Key), Attribute(mpls, OvsFlowAttribute.Mask), Attribute(mpls, OvsFlowAttribute.Actions));
                break;
            case "dpctl-49-del-flow-none" when IsMissing("dpctl-48"):
                player.RemoveFlow([], DpctlPlayer.AttributeOf(RequestOf(next, 34, 2), (int)OvsFlowAttribute.Key));
                break;
            case "dpctl-51-del-flows" when IsMissing("dpctl-50"):
                RemoveFlowOf(player, "dpctl-26-add-flow-ufid");
                break;
            case "vswitchd-add-openflow" when IsMissing("vswitchd-packet-1") && IsMissing("vswitchd-packet-miss"):
                AddPacket(player, next);
                break;
            case "vswitchd-idle-expire":
                RemoveFlowOf(player, "vswitchd-packet-ct");
                break;
            case "vswitchd-dump-flows2":
                // The host's own VXLAN device had nowhere to send two packets of its own.
                player.SetTransmitErrors("vxlan_sys_4789", 2);
                break;
        }

        SendPackets(player, next);
    }

    // Packets are no commands; that some came and found their flow is seen by the datapath's counter.
    private static void SendPackets(DpctlPlayer player, DpctlVector next)
    {
        GoldenMessage? told = next.Messages.FirstOrDefault(static message => message.Dir == "reply" && message.Raw[4] == 32);
        if (told is null || BitConverter.ToUInt64(Attribute(told, OvsDatapathAttribute.Stats)) <= player.Hits)
        {
            return;
        }

        if (next.Name.StartsWith("dpctl", StringComparison.Ordinal))
        {
            player.Inject("p1x", TcpFrame);
            player.Inject("p1x", UdpFrame);
        }
        else
        {
            player.Inject("p1x", player.LastMissed);
        }

        player.Forget();
    }

    // The first packet missed and was sent on; ovs-vswitchd added a flow and the second one hit it.
    private void AddPacket(DpctlPlayer player, DpctlVector next)
    {
        DpctlVector later = vectors.Single(static vector => vector.Name == "vswitchd-packet-ct");
        byte[] packet = DpctlPlayer.AttributeOf(later.Messages.First(static message => message.Raw[4] == 35).Raw, (int)OvsPacketAttribute.Packet).ToArray();
        ReadOnlySpan<byte> flow = RequestOf(later, 34, 1);
        player.Inject("p1x", packet);
        player.Execute(packet, SecondPort);
        player.AddFlow(
            DpctlPlayer.AttributeOf(RequestOf(next, 34, 2), (int)OvsFlowAttribute.Ufid),
            DpctlPlayer.AttributeOf(flow, (int)OvsFlowAttribute.Key),
            DpctlPlayer.AttributeOf(flow, (int)OvsFlowAttribute.Mask),
            [8, 0, (byte)OvsActionAttribute.Output, 0, SecondPort, 0, 0, 0]);
        player.Inject("p1x", packet);
        player.Forget();
    }

    // Like the flow before it, but for packets that it has sent around. A mask that is dumped is not the one that was sent: it has more in it.
    private void AddRecirculatedFlow(DpctlPlayer player)
    {
        byte[] before = RequestOf(vectors.Single(static vector => vector.Name == "dpctl-29-add-flow-ct"), 34, 1);
        byte[] key = DpctlPlayer.AttributeOf(before, (int)OvsFlowAttribute.Key).ToArray();
        byte[] recirculated = Find(key, OvsKeyAttribute.RecirculationId) is [0, 0, 0, 0] ? key : throw new InvalidDataException("recirc_id");
        int at = recirculated.AsSpan().IndexOf((ReadOnlySpan<byte>)[8, 0, (byte)OvsKeyAttribute.RecirculationId, 0]);
        recirculated[at + NetlinkAttribute.HeaderSize] = 9;
        GoldenMessage dumped = FindDumped(static key => Find(key, OvsKeyAttribute.RecirculationId) is [9, 0, 0, 0]);
        player.AddFlow([], recirculated, DpctlPlayer.AttributeOf(before, (int)OvsFlowAttribute.Mask), Attribute(dumped, OvsFlowAttribute.Actions));
    }

    private GoldenMessage FindDumped(Func<byte[], bool> isIt) =>
        vectors.Single(static vector => vector.Name == "dpctl-39-dump-flows-m").Messages.First(message =>
            message.Dir == "reply" && message.Raw[4] == 34 && isIt(Attribute(message, OvsFlowAttribute.Key)));

    private static byte[] Attribute<T>(GoldenMessage message, T type)
        where T : struct, Enum => DpctlPlayer.AttributeOf(message.Raw, Convert.ToInt32(type, System.Globalization.CultureInfo.InvariantCulture)).ToArray();

    private void RemoveFlowOf(DpctlPlayer player, string added) =>
        player.RemoveFlow(DpctlPlayer.AttributeOf(RequestOf(vectors.Single(vector => vector.Name == added), 34, 1), (int)OvsFlowAttribute.Ufid), []);

    private bool IsMissing(string name) => !vectors.Any(vector => vector.Name.StartsWith(name, StringComparison.Ordinal));

    private static byte[] RequestOf(DpctlVector vector, byte family, byte command) =>
        vector.Messages.First(message => message.Dir == "request" && message.Raw[4] == family && message.Raw[16] == command).Raw;

    private static byte[] Find(ReadOnlySpan<byte> key, OvsKeyAttribute type)
    {
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(key))
        {
            if (attribute.Type == (int)type)
            {
                return attribute.Payload.ToArray();
            }
        }

        return [];
    }
}
