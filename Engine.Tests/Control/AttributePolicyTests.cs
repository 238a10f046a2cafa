using Engine.Annotations;
using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Tests.Conformance;

namespace Engine.Tests.Control;

/// <summary>Every attribute of every family cut short, left without its NUL, too long and twice: the kernel's errno, and where in the extended ack.</summary>
public sealed class AttributePolicyTests : IDisposable
{
    private const int AttributesOffset = 24;
    private const int InvalidArgument = -22, OutOfRange = -34;

    private readonly ControlServer _server = new(new MemoryNetwork(), new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 32, CacheEntries = 0, UpcallCapacity = 8 } });
    private readonly MemoryClient _client = new(100);

    public AttributePolicyTests() => _server.TryAdd(_client);

    public static TheoryData<string, int> Checked
    {
        get
        {
            TheoryData<string, int> data = [];
            using ControlServer server = new(new MemoryNetwork());
            foreach (ControlFamily family in server.Families.Where(static family => family.Name.StartsWith("ovs_", StringComparison.Ordinal)))
            {
                for (int attribute = 1; attribute < family.Policies.Length; attribute++)
                {
                    if (!family.Policies[attribute].IsUnchecked && ShortestOf(family.Policies[attribute]) > 0)
                    {
                        data.Add(family.Name, attribute);
                    }
                }
            }

            return data;
        }
    }

    public void Dispose() => _server.Dispose();

    [Theory]
    [MemberData(nameof(Checked))]
    public void An_attribute_that_is_cut_short_is_refused_and_pointed_at(string name, int attribute)
    {
        ControlFamily family = _server.Families.Single(family => family.Name == name);
        NetlinkPolicy policy = family.Policies[attribute];
        int shortest = ShortestOf(policy);
        foreach (byte command in family.Operations.Select(static operation => operation.Command))
        {
            byte[] payload = new byte[shortest - 1];
            payload.AsSpan().Fill((byte)'a');
            byte[] answer = Ask(family, command, (ref writer) => writer.Put(attribute, payload));
            Assert.Equal(policy.Type == NetlinkType.NulString ? InvalidArgument : OutOfRange, BitConverter.ToInt32(answer, 16));
            Assert.Equal(AttributesOffset, OffsetIn(answer));

            // The second of two is looked at too, and it is the second that is pointed at.
            if (policy.Type is NetlinkType.U32 && !policy.HasRange)
            {
                answer = Ask(family, command, (ref writer) =>
                {
                    writer.Put(attribute, 0u);
                    writer.Put(attribute, new byte[3]);
                });
                Assert.Equal((OutOfRange, AttributesOffset + 8), (BitConverter.ToInt32(answer, 16), OffsetIn(answer)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Checked))]
    public void A_number_that_is_too_long_counts_by_its_first_bytes(string name, int attribute)
    {
        ControlFamily family = _server.Families.Single(family => family.Name == name);
        NetlinkPolicy policy = family.Policies[attribute];
        if (policy.Type is not (NetlinkType.U8 or NetlinkType.U16 or NetlinkType.U32 or NetlinkType.U64))
        {
            return;
        }

        foreach (byte command in family.Operations.Select(static operation => operation.Command))
        {
            int exact = ResultOf(Ask(family, command, (ref writer) => writer.Put(attribute, new byte[ShortestOf(policy)])));
            int longer = ResultOf(Ask(family, command, (ref writer) => writer.Put(attribute, new byte[ShortestOf(policy) + 20])));
            Assert.Equal(exact, longer);
        }
    }

    private static int ShortestOf(NetlinkPolicy policy) => policy.Type switch
    {
        NetlinkType.U8 => 1,
        NetlinkType.U16 => 2,
        NetlinkType.U32 or NetlinkType.S32 => 4,
        NetlinkType.U64 => 8,
        NetlinkType.Bytes => policy.Length,
        NetlinkType.Nested => NetlinkAttribute.HeaderSize,
        NetlinkType.NulString => policy.Length,
        _ => 0,
    };

    // The first message that comes: an answer, or why there is none. The datapath may have been deleted by the request before.
    private byte[] Ask(ControlFamily family, byte command, RequestBuilder.PutAttributes put)
    {
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0").Bytes);
        _client.TakeMessages();
        _server.Handle(_client, new RequestBuilder().Add(family.Id, command, NetlinkFlags.Ack, _server.CurrentDatapaths[0].Ifindex, put).Bytes);
        return _client.TakeMessages()[0];
    }

    private static int ResultOf(byte[] answer) => BitConverter.ToUInt16(answer, 4) == NetlinkHeader.ErrorType ? BitConverter.ToInt32(answer, 16) : 0;

    // NLMSGERR_ATTR_OFFS behind the request that the error repeats; -1 without.
    private static int OffsetIn(byte[] answer)
    {
        const int OffsetAttribute = 2;
        int repeated = BitConverter.ToInt32(answer, 20);
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(answer.AsSpan(20 + ((repeated + 3) & ~3))))
        {
            if (attribute.Type == OffsetAttribute)
            {
                return attribute.Read<int>();
            }
        }

        return -1;
    }
}
