using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Tests.Golden;
using Engine.Tests.Oracles;
using Xunit.Abstractions;
using static Engine.Tests.Actions.ActionBytes;

namespace Engine.Tests.Actions;

/// <summary>Any accepted list on any packet: nothing throws, nothing is read out of bounds, every frame comes back.</summary>
public sealed unsafe class ActionFuzzTests(ITestOutputHelper output) : IDisposable
{
    private const int Rounds = 20_000;

    private readonly Recording _recording = new();

    public void Dispose() => _recording.Dispose();

    [Fact]
    public void Random_lists_on_broken_packets_end_well()
    {
        PacketMix mix = new(TestSeed.Value);
        byte[][] actions = [.. SingleActions()];
        int executed = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] frame = (round & 3) == 0 ? mix.Next().ToArray() : mix.NextMutated().ToArray();
            FlowKey key = new() { MacProtocol = 1, InPort = 1 };
            if (!TryLoad(frame, ref key, out Packet* packet))
            {
                continue;
            }

            byte[] list = [.. Enumerable.Range(0, mix.Random.Next(1, 5)).SelectMany(_ => actions[mix.Random.Next(actions.Length)]), .. Output(1)];
            RecordingHost host = new(_recording);
            if (ActionList.TryCreate(list, key, Features, out ActionList? compiled).IsRefused)
            {
                host.Free(packet);
                continue;
            }

            executed++;
            try
            {
                ActionExecutor.Execute(compiled!, packet, ref key, _recording.Context, ref host);
            }
            catch (Exception error)
            {
                Assert.Fail($"round {round}: {Convert.ToHexStringLower(frame)} {Convert.ToHexStringLower(list)}: {error}");
            }

            Assert.Equal(0, _recording.Pool.UsedCount);
            _recording.Outputs.Clear();
            _recording.Upcalls.Clear();
        }

        output.WriteLine($"{executed} executed");
        Assert.True(executed > Rounds / 20, $"{executed} executed");
    }

    private static IEnumerable<byte[]> SingleActions()
    {
        HashSet<string> seen = [];
        foreach (ActionVector vector in GoldenFiles.Actions.Where(vector => !vector.IsSequence && vector.Actions!.Length < 600))
        {
            NetlinkAttributes walk = new(vector.Actions);
            List<byte[]> found = [];
            while (walk.MoveNext())
            {
                found.Add(Attribute(walk.Current.Type, walk.Current.Payload));
            }

            foreach (byte[] action in found.Where(action => seen.Add(Convert.ToHexString(action))))
            {
                yield return action;
            }
        }

        // Pops to types that the packet may not have.
        yield return Action(OvsActionAttribute.PopMpls, 0x81, 0x00);
        yield return Action(OvsActionAttribute.PopMpls, 0x65, 0x58);
        yield return Action(OvsActionAttribute.PopEthernet);
        yield return Action(OvsActionAttribute.PopNsh);
        yield return Action(OvsActionAttribute.AddMpls, 0, 0, 0x11, 0x40, 0x88, 0x47, 0, 0);
    }

    private bool TryLoad(ReadOnlySpan<byte> frame, ref FlowKey key, out Packet* packet)
    {
        packet = _recording.Pool.TryAllocate(frame.Length);
        packet->TrySetBytes(frame);
        if (FlowKeyExtractor.TryExtract(packet, ref key))
        {
            return true;
        }

        _recording.Pool.Free(packet);
        return false;
    }
}
