using Engine.Control;
using Engine.Datapaths;
using Engine.Tests.Conformance;
using Engine.Tests.Golden;
using Engine.Tests.Oracles;
using Xunit.Abstractions;

namespace Engine.Tests.Control;

/// <summary>Recorded requests, mutated: whatever comes, the server answers or is silent, and neither crashes nor leaks packets.</summary>
public sealed class ControlFuzzTests(ITestOutputHelper output)
{
    private const int Requests = 200_000;

    [Fact]
    public void Mutated_requests_do_no_harm()
    {
        Random random = TestSeed.NewRandom(output);
        byte[][] corpus = [.. GoldenFiles.Netlink.SelectMany(static scenario => scenario.Steps).Where(static step => step.Request is not null).Select(static step => step.Request!)];
        int done = 0;
        while (done < Requests)
        {
            MemoryNetwork network = new();
            network.Run("ip link add p1 type veth peer name p1x");
            using ControlServer server = new(network, new ControlServerOptions
            {
                FirstFamilyId = 32,
                Datapath = new DatapathOptions { FrameCount = 32, CacheEntries = 0, UpcallCapacity = 8 },
            });
            MemoryClient client = new(65540) { Capacity = 64 };
            server.TryAdd(client);

            for (int i = 0; i < 2000; i++, done++)
            {
                byte[] request = Mutate(corpus[random.Next(corpus.Length)], random);
                server.Handle(client, request);
                server.Continue(client);
                client.TakeMessages();
            }

            foreach (ControlledDatapath datapath in server.CurrentDatapaths)
            {
                Assert.Equal(0, datapath.ControlWorker.Pool.UsedCount);
            }
        }
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        byte[] request = [.. original];
        switch (random.Next(6))
        {
            case 0:
                break;
            case 1:
                request = request[..random.Next(request.Length + 1)];
                break;
            case 2:
                request = [.. request, .. new byte[random.Next(64)]];
                break;
            default:
                for (int i = random.Next(1, 6); i > 0 && request.Length > 16; i--)
                {
                    request[random.Next(16, request.Length)] = (byte)random.Next(256);
                }

                break;
        }

        // The length is mostly right, so that what stands behind the header is looked at.
        if (request.Length >= 4 && random.Next(8) != 0)
        {
            BitConverter.TryWriteBytes(request, request.Length);
        }

        return request;
    }
}
