using System.Globalization;
using Engine.Actions;
using Engine.Control;
using Engine.Datapaths;
using Engine.Tests.Golden;

namespace Engine.Tests.Conformance;

/// <summary>Plays a recorded scenario against a server in memory and says where it answers otherwise than the kernel did.</summary>
internal sealed class TranscriptPlayer : IDisposable
{
    // As in the recordings: family ids and group ids are volatile in answers, but requests carry the former as their type.
    private const ushort RecordedFamilyId = 32;
    private const uint RecordedGroup = 9;

    private static readonly string[] Groups = ["ovs_datapath", "ovs_vport", "ovs_flow", "ovs_meter", "ovs_ct_limit"];

    private readonly MemoryNetwork _network = new();
    private readonly Dictionary<string, MemoryClient> _clients = [];
    private readonly ControlServer _server;

    public TranscriptPlayer(NetlinkScenario scenario)
    {
        _server = new ControlServer(_network, new ControlServerOptions
        {
            FirstFamilyId = RecordedFamilyId,
            FirstGroup = RecordedGroup,
            ProcessorCount = 8,
            Actions = ActionFeatures.Linux61,
            Datapath = new DatapathOptions { FrameCount = 128, CacheEntries = 256, UpcallCapacity = 64 },
        });
        foreach ((string name, uint portId) in scenario.Sockets)
        {
            MemoryClient client = new(portId);
            _clients.Add(name, client);
            Assert.True(_server.TryAdd(client));
        }
    }

    /// <summary>Plays one step.</summary>
    /// <returns>What differs, a line each; empty when nothing does.</returns>
    public List<string> Play(NetlinkStep step)
    {
        List<string> differences = [];
        switch (step.Op)
        {
            case "setup":
                _network.Run(step.Cmd!);
                break;
            case "join":
                foreach (string group in step.Groups!)
                {
                    _clients[step.Sock!].Join(RecordedGroup + (uint)Array.IndexOf(Groups, group));
                }

                break;
            case "request":
                _server.Handle(_clients[step.Sock!], step.Request!);
                List<(string Sock, byte[] Message)> others = TakeAll(step.Sock!, out List<byte[]> replies);
                Compare("reply", step.Replies, [.. replies.Select(message => (step.Sock!, message))], step.Unordered, differences);
                Compare("notification", step.Notifications, others, step.Unordered, differences);
                break;
            case "inject":
                Inject(step);
                Compare("upcall", step.Upcalls, TakeAll(string.Empty, out _), false, differences);
                break;
            default:
                throw new NotSupportedException(step.Op);
        }

        return differences;
    }

    public void Dispose() => _server.Dispose();

    // The recorder sent one datagram a request; answers are those with its sequence number, the rest came unasked.
    private List<(string Sock, byte[] Message)> TakeAll(string asking, out List<byte[]> replies)
    {
        replies = [];
        List<(string, byte[])> others = [];
        foreach ((string name, MemoryClient client) in _clients)
        {
            foreach (byte[] message in client.TakeMessages())
            {
                if (name == asking && BitConverter.ToUInt32(message, 8) != 0)
                {
                    replies.Add(message);
                }
                else
                {
                    others.Add((name, message));
                }
            }
        }

        return others;
    }

    private void Inject(NetlinkStep step)
    {
        _network.CountArrival(step.Dev!, step.Packet);
        if (_network.DriverBehind(step.Dev!) is not { } driver)
        {
            return;
        }

        string port = _network.PeerOf(step.Dev!);
        foreach (ControlledDatapath datapath in _server.CurrentDatapaths)
        {
            if (datapath.Datapath.Vports.Find(port) is { } vport)
            {
                Assert.True(driver.TryPut(step.Packet!));
                datapath.Datapath.Workers[0].Poll(vport);
            }
        }
    }

    private static void Compare(string what, GoldenMessage[] expected, List<(string Sock, byte[] Message)> actual, bool isUnordered, List<string> differences)
    {
        List<(string Sock, byte[] Message)> left = [.. actual];
        for (int i = 0; i < expected.Length; i++)
        {
            GoldenMessage wanted = expected[i];
            int found = left.FindIndex(candidate => Matches(wanted, candidate.Sock, candidate.Message));
            if (found == 0 || (found > 0 && isUnordered))
            {
                left.RemoveAt(found);
                continue;
            }

            differences.Add(string.Create(CultureInfo.InvariantCulture, $"{what} {i} wanted {wanted.Sock} {Convert.ToHexStringLower(wanted.Raw)}"));
            if (!isUnordered && left.Count > 0)
            {
                differences.Add($"{what} {i} got    {left[0].Sock} {Convert.ToHexStringLower(left[0].Message)}");
                left.RemoveAt(0);
            }
        }

        differences.AddRange(left.Select(extra => $"{what} unexpected {extra.Sock} {Convert.ToHexStringLower(extra.Message)}"));
    }

    private static bool Matches(GoldenMessage wanted, string sock, byte[] message) =>
        (wanted.Sock is null || wanted.Sock == sock)
        && wanted.Raw.Length == message.Length
        && VolatileRange.Blank(wanted.Raw, wanted.Volatile).AsSpan().SequenceEqual(VolatileRange.Blank(message, wanted.Volatile));
}
