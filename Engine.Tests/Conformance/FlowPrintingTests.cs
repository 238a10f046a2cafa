using System.Globalization;
using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Tests.Control;
using Engine.Tests.Golden;
using Engine.Tests.Live;
using Engine.Tests.Oracles;
using Engine.Tests.Text;
using Xunit.Abstractions;

namespace Engine.Tests.Conformance;

/// <summary>Flows whose keys, masks and actions were changed at random: <c>engine dpctl dump-flows</c> prints what Debian's unmodified ovs-dpctl prints.</summary>
/// <remarks>Needs root, for seccomp listeners, and ovs-dpctl; skipped without.</remarks>
public sealed class FlowPrintingTests(ITestOutputHelper output) : IDisposable
{
    private const int Ifindex = 2;
    private const int Requests = 12_000;

    // Number of dec_ttl, which Open vSwitch 3.1 takes for an action of its userspace datapath.
    private const int DecrementTtl = 23;

    private readonly string _path = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"engine-{Environment.ProcessId}-{Guid.NewGuid():N}.sock"));
    private readonly ControlServer _server = new(new MemoryNetwork(), new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 64 } });

    public void Dispose() => _server.Dispose();

    [SkippableFact]
    public void Flows_are_printed_as_Open_vSwitch_prints_them()
    {
        Requires.NetworkAdministration();
        Requires.Program("ovs-dpctl");
        using SocketServer sockets = new(_server, _path);
        int flows = PutFlows(TestSeed.NewRandom(output));
        output.WriteLine($"{flows} flows of {Requests} requests");
        Assert.InRange(flows, Requests / 10, Requests);
        foreach (string[] options in (string[][])[[], ["-m"]])
        {
            string[] printed = Lines(["dpctl", "--socket", _path, .. options, "dump-flows", "dp0"]);
            string[] wanted = Lines(["exec", "--socket", _path, "--", "ovs-dpctl", .. options, "dump-flows", "dp0"]);
            Assert.Equal((flows, flows), (wanted.Length, printed.Length));
            string[] others = [.. wanted.Except(printed)];
            Assert.True(others.Length == 0, $"{others.Length} differ; one is\n{others.FirstOrDefault()}\n{printed.Except(wanted).FirstOrDefault()}");
        }
    }

    private int PutFlows(Random random)
    {
        RecordedKey[] keys = [.. RecordedTexts.Read<RecordedKey>("keys").Concat(RecordedTexts.Read<RecordedKey>("printed-keys"))];
        byte[][] actions =
        [
            .. RecordedTexts.Read<RecordedActions>("actions").Select(static line => Convert.FromHexString(line.Actions)),
            .. GoldenFiles.Actions.Where(static vector => vector.Actions is not null).Select(static vector => vector.Actions!),
        ];
        MemoryClient client = new(100);
        _server.TryAdd(client);
        _server.Handle(client, new RequestBuilder().NewDatapath("dp0").Bytes);
        for (uint i = 0; i < Requests; i++)
        {
            RecordedKey line = keys[random.Next(keys.Length)];
            byte[] key = Convert.FromHexString(line.Key);
            byte[] mask = random.Next(2) == 0 ? Change(random, key, static (_, payload) => Array.ConvertAll(payload, static _ => byte.MaxValue)) : Convert.FromHexString(line.Mask);
            if (random.Next(2) == 0)
            {
                mask = Change(random, mask, ChangeBits);
            }

            byte[] list = actions[random.Next(actions.Length)];
            if (random.Next(2) == 0)
            {
                list = Change(random, list, ChangeBits);
            }

            // Each from another port, so that none is there yet.
            (key, mask) = (WithPort(key, i + 1), WithPort(mask, uint.MaxValue));
            _server.Handle(client, new RequestBuilder().Add(RequestBuilder.Flow, 1, NetlinkFlags.Create, Ifindex, (ref writer) =>
            {
                writer.Put((int)OvsFlowAttribute.Key, key);
                writer.Put((int)OvsFlowAttribute.Mask, mask);
                writer.Put((int)OvsFlowAttribute.Actions, list);
            }).Bytes);
            client.TakeMessages();
        }

        Datapath datapath = _server.CurrentDatapaths.Single().Datapath;
        foreach (Engine.Flows.Flow flow in datapath.Flows.ToList().Where(static flow => Contains(flow.Actions.Attributes, DecrementTtl)))
        {
            datapath.Flows.Remove(flow);
        }

        return datapath.Flows.Count;
    }

    // Drops and changes attributes, those within attributes too.
    private static byte[] Change(Random random, ReadOnlySpan<byte> attributes, Func<Random, byte[], byte[]> change)
    {
        NetlinkWriter writer = new(new byte[attributes.Length + 64]);
        foreach ((int type, byte[] payload) in Split(attributes))
        {
            byte[] changed = IsNest(payload) && random.Next(4) != 0 ? Change(random, payload, change) : change(random, payload);
            writer.Put(type, changed);
        }

        return writer.Written.ToArray();
    }

    private static byte[] ChangeBits(Random random, byte[] payload)
    {
        byte[] changed = [.. payload];
        switch (random.Next(8))
        {
            case 0:
                changed.AsSpan().Clear();
                break;
            case 1:
                changed.AsSpan().Fill(byte.MaxValue);
                break;
            case 2 when changed.Length > 0:
                changed[random.Next(changed.Length)] = (byte)random.Next(random.Next(2) == 0 ? 256 : 34);
                break;
            case 3 when changed.Length > 4:
                changed = changed[..^4];
                break;
            default:
                break;
        }

        return changed;
    }

    private static byte[] WithPort(ReadOnlySpan<byte> attributes, uint port)
    {
        NetlinkWriter writer = new(new byte[attributes.Length + 64]);
        foreach ((int type, byte[] payload) in Split(attributes).Where(static attribute => attribute.Type != (int)OvsKeyAttribute.InPort))
        {
            writer.Put(type, payload);
        }

        writer.Put((int)OvsKeyAttribute.InPort, port);
        return writer.Written.ToArray();
    }

    private static bool Contains(ReadOnlySpan<byte> attributes, int type) =>
        Split(attributes).Any(attribute => attribute.Type == type || (IsNest(attribute.Payload) && Contains(attribute.Payload, type)));

    // Bytes that are attributes from end to end. Some values look like that too, which does no harm.
    private static bool IsNest(ReadOnlySpan<byte> payload)
    {
        NetlinkAttributes attributes = new(payload);
        while (attributes.MoveNext())
        {
        }

        return payload.Length > 0 && attributes.Remaining == 0;
    }

    private static List<(int Type, byte[] Payload)> Split(ReadOnlySpan<byte> bytes)
    {
        List<(int, byte[])> list = [];
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(bytes))
        {
            list.Add((attribute.Type, attribute.Payload.ToArray()));
        }

        return list;
    }

    private string[] Lines(params string[] arguments)
    {
        (int exit, string text) = EngineProgram.Run(output, arguments);
        Assert.Equal(0, exit);
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
