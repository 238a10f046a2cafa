using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Tests.Conformance;

namespace Engine.Tests.Control;

/// <summary>Every command of every family with each of its attributes missing, twice, in another order, and beside attributes that are none: the kernel's errno.</summary>
/// <remarks>
/// The kernel reads the attributes of these families liberally (GENL_DONT_VALIDATE_STRICT): of two the last counts, unknown ones and what is left over at the end are
/// passed over, NLA_F_NESTED may be there or not, and an attribute that does not fit ends them. What must be there is in the function of each command.
/// </remarks>
public sealed class RequestShapeTests
{
    private const byte New = 1, Delete = 2, Get = 3, Set = 4;
    private const byte MeterSet = 2, MeterGet = 4, MeterDelete = 3;
    private const byte LimitSet = 1, LimitDelete = 2, LimitGet = 3;
    private const ushort ConntrackLimit = 0x7f05;
    private const int Invalid = -(int)Errno.InvalidArgument, NoDevice = -(int)Errno.NoDevice;
    private const string LocalName = "dp0";

    // A whole request, what it gives, what it gives without each attribute, and what with a datapath that is not there.
    private static readonly Request[] Requests =
    [
        new("datapath new", RequestBuilder.Datapath, New, 0, [new(1, Name("dp9"), Invalid), new(2, Number(0), Invalid)]),
        new("datapath get", RequestBuilder.Datapath, Get, 0, [new(1, Name(LocalName), 0)]),
        new("datapath set", RequestBuilder.Datapath, Set, 0, [new(1, Name(LocalName), 0), new(5, Number(0), 0)]),
        new("datapath del", RequestBuilder.Datapath, Delete, 0, [new(1, Name(LocalName), 0)]),
        new("vport new", RequestBuilder.Vport, New, NoDevice, [new(3, Name("p2"), Invalid), new(2, Number(2), Invalid), new(5, Number(0), Invalid)]),
        new("vport get", RequestBuilder.Vport, Get, NoDevice, [new(3, Name("p1"), Invalid)]),
        new("vport get by number", RequestBuilder.Vport, Get, NoDevice, [new(1, Number(1), Invalid)]),
        new("vport set", RequestBuilder.Vport, Set, NoDevice, [new(3, Name("p1"), Invalid), new(5, Number(7), 0)]),
        new("vport del", RequestBuilder.Vport, Delete, NoDevice, [new(3, Name("p1"), Invalid)]),
        new("flow new", RequestBuilder.Flow, New, NoDevice, [new(1, Key(5), Invalid), new(7, KeyMask, 0), new(2, [], Invalid), new(9, new byte[16], 0)]),
        new("flow set", RequestBuilder.Flow, Set, NoDevice, [new(1, Key(1), Invalid), new(7, KeyMask, 0), new(2, [], 0)]),
        new("flow get", RequestBuilder.Flow, Get, NoDevice, [new(1, Key(1), Invalid)]),
        new("flow del", RequestBuilder.Flow, Delete, NoDevice, [new(1, Key(1), 0)]),
        new("packet execute", RequestBuilder.Packet, 3, NoDevice, [new(1, new byte[60], Invalid), new(2, Key(1), Invalid), new(3, [], Invalid)]),
        new("meter set", RequestBuilder.Meter, MeterSet, NoDevice, [new(1, Number(1), Invalid), new(4, Bands(1, 2, 3), Invalid)]),
        new("meter get", RequestBuilder.Meter, MeterGet, NoDevice, [new(1, Number(0), Invalid)]),
        new("meter del", RequestBuilder.Meter, MeterDelete, NoDevice, [new(1, Number(0), Invalid)]),
        new("meter features", RequestBuilder.Meter, 1, NoDevice, []),
        new("limit set", ConntrackLimit, LimitSet, 0, [new(1, new byte[12], Invalid)]),
        new("limit get", ConntrackLimit, LimitGet, 0, [new(1, new byte[12], 0)]),
        new("limit del", ConntrackLimit, LimitDelete, 0, [new(1, new byte[12], Invalid)]),
    ];

    private static byte[] KeyMask => Key(uint.MaxValue);

    public static TheoryData<string> Names => [.. Requests.Select(static request => request.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_request_without_one_of_its_attributes_gets_the_kernels_errno(string name)
    {
        Request request = Find(name);
        Assert.Equal(0, Ask(request, request.Attributes));
        foreach (Attribute missing in request.Attributes)
        {
            int result = Ask(request, request.Attributes.Where(other => other != missing));
            Assert.True(missing.WithoutIt == result, $"{name} without attribute {missing.Number}: {result} instead of {missing.WithoutIt}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_request_to_a_datapath_that_is_not_there_gets_the_kernels_errno(string name)
    {
        Request request = Find(name);
        Assert.Equal(request.WithoutDatapath, Ask(request, request.Attributes, hasDatapath: false));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_the_kernel_passes_over_changes_nothing(string name)
    {
        Request request = Find(name);
        Attribute[] whole = request.Attributes;
        Dictionary<string, IEnumerable<Attribute>> shapes = new()
        {
            ["twice"] = [.. whole, .. whole],
            ["the first of two is another"] = [.. whole.Where(static one => one.Payload.Length == 4).Select(static one => one with { Payload = [9, 9, 0, 0] }), .. whole],
            ["nested"] = whole.Select(static one => one with { Number = one.Number | NetlinkAttribute.NestedFlag }),
            ["in network order"] = whole.Select(static one => one with { Number = one.Number | 0x4000 }),
            ["reversed"] = whole.Reverse(),
            ["unknown ones before"] = [new(40, [1, 2, 3], 0), new(NetlinkAttribute.TypeMask, [], 0), new(0, new byte[7], 0), .. whole],
        };
        foreach ((string shape, IEnumerable<Attribute> attributes) in shapes)
        {
            Assert.True(Ask(request, attributes) is 0 and var result, $"{name}, {shape}: {Ask(request, attributes)}");
        }

        // Behind the attributes: too little for a header; one that is longer than what is left; one that is shorter than its header.
        foreach (byte[] rest in (byte[][])[[1, 2, 3], [200, 0, 1, 0, 5, 5, 5, 5], [3, 0, 1, 0], [0, 0, 0, 0]])
        {
            int result = Ask(request, whole, behind: rest);
            Assert.True(result == 0, $"{name}, {Convert.ToHexString(rest)} behind: {result}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_attribute_that_does_not_fit_hides_those_behind_it(string name)
    {
        Request request = Find(name);
        int none = Ask(request, []);
        foreach (byte[] first in (byte[][])[[0xff, 0xff, 1, 0], [3, 0, 1, 0], [0, 0, 1, 0]])
        {
            Assert.Equal(none, Ask(request, request.Attributes, before: first));
        }
    }

    // Inside keys and bands nothing is passed over.
    [Theory]
    [InlineData("twice")]
    [InlineData("unknown")]
    [InlineData("short")]
    [InlineData("long")]
    [InlineData("left over")]
    [InlineData("no link layer")]
    public void A_key_is_read_strictly(string what)
    {
        Request request = Find("flow new");
        byte[] key = Key(5);
        byte[] bad = what switch
        {
            "twice" => [.. key, .. Attributes([new(3, Number(5), 0)])],
            "unknown" => [.. key, .. Attributes([new(60, Number(5), 0)])],
            "short" => Attributes([new(3, [1, 0], 0), new(4, new byte[12], 0), new(6, [0x88, 0xb5], 0)]),
            "long" => Attributes([new(3, [1, 0, 0, 0, 0], 0), new(4, new byte[12], 0), new(6, [0x88, 0xb5], 0)]),
            "left over" => [.. key, 200, 0, 3, 0],
            _ => Attributes([new(3, Number(5), 0)]),
        };
        int result = Ask(request, [request.Attributes[0] with { Payload = bad }, .. request.Attributes[1..]]);

        // The kernel's __parse_flow_nlattrs goes through them by nla_for_each_nested, which passes over what is left, then says EINVAL.
        Assert.Equal(Invalid, result);
    }

    [Theory]
    [InlineData(Invalid, 2, 3)]
    [InlineData(Invalid, 1, 3)]
    [InlineData(Invalid, 1, 2)]
    [InlineData(0, 1, 2, 3)]
    public void A_band_has_type_rate_and_burst(int expected, params int[] attributes)
    {
        Request request = Find("meter set");
        Assert.Equal(expected, Ask(request, [request.Attributes[0], request.Attributes[1] with { Payload = Bands(attributes) }]));
    }

    private static Request Find(string name) => Requests.Single(request => request.Name == name);

    // The result of a request to a server with a datapath, a port, a flow and a meter.
    private static int Ask(Request request, IEnumerable<Attribute> attributes, bool hasDatapath = true, byte[]? before = null, byte[]? behind = null)
    {
        using ControlServer server = new(new MemoryNetwork(), new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 32, CacheEntries = 0, UpcallCapacity = 8 } });
        MemoryClient client = new(100);
        server.TryAdd(client);
        server.Handle(client, new RequestBuilder().NewDatapath(LocalName).Bytes);
        int ifindex = server.CurrentDatapaths[0].Ifindex;
        RequestBuilder world = new RequestBuilder().NewVport(ifindex, "p1", 2);
        foreach (string name in (string[])["flow new", "meter set"])
        {
            Request made = Find(name);
            Attribute[] its = name == "meter set" ? [made.Attributes[0] with { Payload = Number(0) }, made.Attributes[1]]
                : [made.Attributes[0] with { Payload = Key(1) }, made.Attributes[1], made.Attributes[2]];
            world.Add(made.Family, made.Command, NetlinkFlags.Ack, ifindex, (ref writer) => writer.PutRaw(Attributes(its)));
        }

        server.Handle(client, world.Bytes);
        Assert.All(client.TakeMessages(), static message => Assert.Equal(0, ResultOf(message)));
        byte[] bytes = new RequestBuilder().Add(request.Family, request.Command, NetlinkFlags.Ack, hasDatapath ? ifindex : 99, (ref writer) =>
        {
            writer.PutRaw(before ?? []);
            writer.PutRaw(Attributes(attributes));
            writer.PutRaw(behind ?? []);
        }).Bytes;
        server.Handle(client, bytes);
        return ResultOf(client.TakeMessages()[^1]);
    }

    private static int ResultOf(byte[] message) => BitConverter.ToUInt16(message, 4) == NetlinkHeader.ErrorType ? BitConverter.ToInt32(message, 16) : 0;

    private static byte[] Attributes(IEnumerable<Attribute> attributes)
    {
        NetlinkWriter writer = new(new byte[4096]);
        foreach (Attribute attribute in attributes)
        {
            writer.Put(attribute.Number, attribute.Payload);
        }

        return writer.Written.ToArray();
    }

    private static byte[] Number(uint value) => BitConverter.GetBytes(value);

    private static byte[] Name(string value) => [.. System.Text.Encoding.ASCII.GetBytes(value), 0];

    // OVS_KEY_ATTR_IN_PORT, _ETHERNET, _ETHERTYPE.
    private static byte[] Key(uint port)
    {
        bool isMask = port == uint.MaxValue;
        return Attributes([new(3, Number(port), 0), new(4, new byte[12], 0), new(6, isMask ? [0xff, 0xff] : [0x88, 0xb5], 0)]);
    }

    private static byte[] Bands(params int[] attributes) => Attributes([new(0, Attributes(attributes.Select(static number => new Attribute(number, Number(1), 0))), 0)]);

    private sealed record Request(string Name, ushort Family, byte Command, int WithoutDatapath, Attribute[] Attributes);

    private sealed record Attribute(int Number, byte[] Payload, int WithoutIt);
}
