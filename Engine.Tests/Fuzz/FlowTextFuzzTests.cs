using System.Text;
using Engine.Tests.Golden;
using Engine.Text;
using Xunit.Abstractions;

namespace Engine.Tests.Fuzz;

/// <summary>Any text of a flows file gives flows or errors that point into it.</summary>
public sealed class FlowTextFuzzTests(ITestOutputHelper output)
{
    private const int InputsPerSeed = 30_000;

    private static readonly string[] Keys =
    [
        "recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(frag=no)",
        "recirc_id(0x1),in_port(2),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x86dd),ipv6(src=2001:db8::/32,proto=6,frag=no),tcp(dst=80/0xff00),tcp_flags(+syn-ack)",
        "in_port(1),eth(),eth_type(0x8100),vlan(vid=1,pcp=3),encap(eth_type(0x0806),arp(sip=10.0.0.1,op=1/0xff))",
        "tunnel(tun_id=0x5,src=10.0.0.1,dst=10.0.0.2,ttl=64,flags(df|key)),in_port(6),eth(),eth_type(0x8847),mpls(label=5,tc=0,ttl=64,bos=1)",
        "ufid:01234567-89ab-cdef-0123-456789abcdef, skb_priority(0),ct_state(+trk),ct_zone(5),ct_mark(0x1/0xff),in_port(1),eth(),eth_type(0x88b5)",
    ];

    [Theory]
    [MemberData(nameof(FuzzSeeds.All), MemberType = typeof(FuzzSeeds))]
    public void Mutated_flows_files_give_flows_or_errors_with_a_place(int seed)
    {
        Random random = new(seed);
        string[] actions = [.. GoldenFiles.Actions.Where(vector => vector.DpctlText is not null).Select(vector => vector.DpctlText!)];
        int flowCount = 0, errorCount = 0;
        for (int i = 0; i < InputsPerSeed; i++)
        {
            string text = $"{Keys[random.Next(Keys.Length)]}{(random.Next(2) == 0 ? " " : ", packets:1, bytes:60, used:never, actions:")}{actions[random.Next(actions.Length)]}";
            string mutated = Mutate(random, text);
            try
            {
                bool parsed = FlowFile.TryParse("file", mutated, out IReadOnlyList<FlowLine> flows, out IReadOnlyList<FlowFileError> errors);
                Assert.Equal(parsed, errors.Count == 0);
                flowCount += flows.Count;
                errorCount += errors.Count;
                string[] lines = mutated.Split('\n');
                foreach (FlowFileError error in errors)
                {
                    Assert.InRange(error.Line, 1, lines.Length);
                    Assert.InRange(error.Column, 1, lines[error.Line - 1].Length + 1);
                }

                foreach (FlowLine flow in flows)
                {
                    StringBuilder printed = new();
                    FlowText.Format(printed, in flow.Key, in flow.Mask, verbose: false);
                    ActionText.Format(printed, flow.Actions.Span);
                }
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"seed {seed} input {i}: {mutated}", exception);
            }
        }

        output.WriteLine($"seed {seed}: {InputsPerSeed} inputs, {flowCount} flows, {errorCount} errors");
        Assert.True(flowCount > 0 && errorCount > 0);
    }

    private static string Mutate(Random random, string text)
    {
        const string Signs = "(),=/:.-+|#\n\t 0123456789abcdefx";
        StringBuilder mutated = new(text);
        for (int rounds = random.Next(4); rounds > 0 && mutated.Length != 0; rounds--)
        {
            int at = random.Next(mutated.Length);
            switch (random.Next(5))
            {
                case 0:
                    mutated[at] = Signs[random.Next(Signs.Length)];
                    break;
                case 1:
                    mutated.Insert(at, Signs[random.Next(Signs.Length)]);
                    break;
                case 2:
                    mutated.Remove(at, Math.Min(random.Next(1, 8), mutated.Length - at));
                    break;
                case 3:
                    mutated.Length = at;
                    break;
                default: // A number too large for anything.
                    mutated.Insert(at, "99999999999999999999");
                    break;
            }
        }

        return mutated.ToString();
    }
}
