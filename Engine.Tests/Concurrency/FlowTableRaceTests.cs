using Engine.Flows;
using Xunit.Abstractions;

namespace Engine.Tests.Concurrency;

/// <summary>One thread changes the flow table while others look up: never a wrong flow, never a lost one.</summary>
public sealed class FlowTableRaceTests(ITestOutputHelper output)
{
    private const int Prefixes = 24, Readers = 2, LookupsAtOnce = 1000;

    // Flow of network n and prefix length p stands for the keys 10.n.0.0 + p. Even n stay, odd ones come and go.
    private const int Networks = 64;

    private long _lookups;

    [Fact]
    public async Task Readers_never_see_a_wrong_flow_and_never_miss_one_that_stays()
    {
        FlowTable table = new(Readers);
        for (int n = 0; n < Networks; n += 2)
        {
            Put(table, n);
        }

        using CancellationTokenSource stop = new();
        // Threads of their own: those of the pool may all be taken by other tests.
        CancellationToken token = stop.Token;
        Task[] readers = [.. Enumerable.Range(0, Readers).Select(seed =>
            Task.Factory.StartNew(() => Read(table, seed, token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        long changes = 0;
        Random random = new(1);
        Flow?[] flows = new Flow?[Networks];
        Race.Run(stop, Change, HaveMinima, readers);

        await Task.WhenAll(readers);
        output.WriteLine($"{changes} changes, {_lookups} lookups");
        Assert.True(HaveMinima(), $"{changes} changes, {_lookups} lookups");

        bool HaveMinima() => changes > 1000 && Volatile.Read(ref _lookups) > 1000;

        void Change()
        {
            int n = (random.Next(Networks / 2) * 2) + 1;
            if (flows[n] is { } flow)
            {
                table.Remove(flow);
                flows[n] = null;
            }
            else
            {
                flows[n] = Put(table, n);
            }

            changes++;
        }
    }

    private void Read(FlowTable table, int seed, CancellationToken stop)
    {
        Random random = new(seed);
        while (!stop.IsCancellationRequested)
        {
            for (int i = 0; i < LookupsAtOnce; i++)
            {
                int n = random.Next(Networks);
                FlowKey key = KeyOf(n, random.Next(256));
                Flow? flow = table.Lookup(in key, out _);
                if (flow is null)
                {
                    Assert.True(n % 2 == 1, $"flow {n} was lost");
                }
                else
                {
                    Assert.Equal(n, ((NumberedActions)flow.Actions).Number);
                }
            }

            Interlocked.Add(ref _lookups, LookupsAtOnce);
        }
    }

    // Each network has one of several masks, so that subtables come and go as well.
    private static Flow Put(FlowTable table, int n)
    {
        FlowKey key = KeyOf(n, 0);
        FlowKey mask = new() { InPort = uint.MaxValue, Ipv4Source = (uint)(0xffff_ffffL << (32 - PrefixOf(n))) };
        Assert.False(table.Put(in key, in mask, new NumberedActions(n), default, FlowPutMode.CreateOnly, out Flow? flow).IsRefused);
        return flow!;
    }

    private static int PrefixOf(int n) => Prefixes - (n % 8);

    // Networks do not overlap, whatever the prefix length: at least 17 bits of each are the number.
    private static FlowKey KeyOf(int n, int host) => new() { InPort = 1, Ipv4Source = ((uint)n << 16) | (uint)host };

    private sealed class NumberedActions(int number) : FlowActions
    {
        public int Number => number;

        public override ReadOnlySpan<byte> Attributes => default;
    }
}
