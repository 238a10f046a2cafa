using System.Text.Json;

namespace Engine.Tests.Golden;

/// <summary>Bytes of a message that vary from one recording to the next.</summary>
/// <param name="Offset">From the start of the message or key.</param>
/// <param name="Length">Number of bytes.</param>
/// <param name="What">What stands there, in the words of README.md.</param>
public readonly record struct VolatileRange(int Offset, int Length, string What)
{
    /// <summary>A copy of <paramref name="bytes"/> with zeros in every range, so that two messages can be compared.</summary>
    public static byte[] Blank(ReadOnlySpan<byte> bytes, IEnumerable<VolatileRange>? ranges)
    {
        byte[] copy = bytes.ToArray();
        foreach (VolatileRange range in ranges ?? [])
        {
            int start = Math.Min(range.Offset, copy.Length);
            copy.AsSpan(start, Math.Min(range.Length, copy.Length - start)).Clear();
        }

        return copy;
    }
}

/// <summary>The port of an output or an injection: a datapath port number, or a device outside of the datapath.</summary>
/// <param name="Number">The port number; meaningful when <see cref="Device"/> is null.</param>
/// <param name="Device">For instance <c>underlay</c> or <c>und0x</c>; null for a datapath port.</param>
public readonly record struct GoldenPort(uint Number, string? Device)
{
    /// <inheritdoc/>
    public override string ToString() => Device ?? Number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A line of key_extract.jsonl: a packet and the key that the kernel made of it.</summary>
public sealed record KeyExtractVector
{
    public required string Name { get; init; }

    public required string Group { get; init; }

    public required string Category { get; init; }

    /// <summary><c>port</c>, <c>exec</c> or <c>exec_l3</c>.</summary>
    public required string Via { get; init; }

    /// <summary>Null when the request names none.</summary>
    public uint? InPort { get; init; }

    public required byte[] Packet { get; init; }

    /// <summary>OVS_PACKET_ATTR_KEY of the EXECUTE request; null when the frame came in on a port.</summary>
    public byte[]? RequestKey { get; init; }

    /// <summary>Result of EXECUTE; 0 when the frame came in on a port.</summary>
    public int Errno { get; init; }

    public JsonElement? Extack { get; init; }

    /// <summary>No upcall came, so there is no key.</summary>
    public bool Dropped { get; init; }

    /// <summary><c>MISS</c> or <c>ACTION</c>; null when dropped.</summary>
    public string? Cmd { get; init; }

    /// <summary>Payload of OVS_PACKET_ATTR_KEY in the upcall.</summary>
    public byte[]? Key { get; init; }

    /// <summary>The packet in the upcall where it is not equal to <see cref="Packet"/>.</summary>
    public byte[]? UpcallPacket { get; init; }

    public int? Len { get; init; }

    public string[]? AttrOrder { get; init; }

    /// <summary>The whole upcall message.</summary>
    public byte[]? UpcallRaw { get; init; }

    public VolatileRange[]? Volatile { get; init; }

    public string? Note { get; init; }
}

/// <summary>A packet that the kernel sent.</summary>
public sealed record GoldenOutput
{
    public required GoldenPort Port { get; init; }

    public required byte[] Packet { get; init; }

    public VolatileRange[]? Volatile { get; init; }
}

/// <summary>An upcall that the kernel made.</summary>
public sealed record GoldenUpcall
{
    /// <summary><c>MISS</c> or <c>ACTION</c>.</summary>
    public required string Cmd { get; init; }

    public required byte[] Key { get; init; }

    /// <summary>Ranges of <see cref="Key"/>.</summary>
    public VolatileRange[]? KeyVolatile { get; init; }

    public required byte[] Packet { get; init; }

    public byte[]? Userdata { get; init; }

    public byte[]? EgressTunKey { get; init; }

    public byte[]? Actions { get; init; }

    public int? Mru { get; init; }

    /// <summary>Bytes before trunc; null without trunc.</summary>
    public int? Len { get; init; }

    public string[]? AttrOrder { get; init; }

    /// <summary>The whole message.</summary>
    public byte[]? Raw { get; init; }

    /// <summary>Ranges of <see cref="Raw"/>.</summary>
    public VolatileRange[]? Volatile { get; init; }
}

/// <summary>A step of a sequence: <see cref="Op"/> tells which members are set.</summary>
public sealed record GoldenStep
{
    /// <summary><c>execute</c>, <c>inject</c>, <c>flow</c>, <c>flush</c> or <c>meter</c>.</summary>
    public required string Op { get; init; }

    public string? Label { get; init; }

    public GoldenPort Port { get; init; }

    public byte[]? Key { get; init; }

    public byte[]? Mask { get; init; }

    public byte[]? Packet { get; init; }

    public byte[]? Actions { get; init; }

    public string? ActionsText { get; init; }

    public string? DpctlText { get; init; }

    public int Errno { get; init; }

    public GoldenOutput[] Outputs { get; init; } = [];

    public GoldenUpcall[] Upcalls { get; init; } = [];

    /// <summary>Differed between recordings: outputs are not compared exactly.</summary>
    public bool Varies { get; init; }

    public uint? Rate { get; init; }

    public uint? Burst { get; init; }

    public string[]? KernelLog { get; init; }
}

/// <summary>A line of actions.jsonl: one EXECUTE request, or a sequence of steps on a fresh datapath.</summary>
public sealed record ActionVector
{
    public required string Name { get; init; }

    public required string Category { get; init; }

    /// <summary><c>execute</c> or <c>sequence</c>.</summary>
    public required string Kind { get; init; }

    public bool IsSequence => Kind == "sequence";

    public uint? InPort { get; init; }

    /// <summary>OVS_PACKET_ATTR_KEY of the request; null for a sequence.</summary>
    public byte[]? Key { get; init; }

    public byte[]? Packet { get; init; }

    /// <summary>Payload of OVS_PACKET_ATTR_ACTIONS.</summary>
    public byte[]? Actions { get; init; }

    public string? ActionsText { get; init; }

    /// <summary>What ovs-dpctl printed for these actions in a flow.</summary>
    public string? DpctlText { get; init; }

    /// <summary>Further attributes of the request.</summary>
    public byte[]? ExtraAttrs { get; init; }

    public int Errno { get; init; }

    public JsonElement? Extack { get; init; }

    public GoldenOutput[] Outputs { get; init; } = [];

    public GoldenUpcall[] Upcalls { get; init; } = [];

    public GoldenStep[] Steps { get; init; } = [];

    public bool Varies { get; init; }

    public string? Note { get; init; }

    public string[]? KernelLog { get; init; }
}

/// <summary>A netlink message of a transcript.</summary>
public sealed record GoldenMessage
{
    /// <summary>The socket that got it; null when it is the one that asked.</summary>
    public string? Sock { get; init; }

    /// <summary><c>request</c> or <c>reply</c>, in dpctl.jsonl only.</summary>
    public string? Dir { get; init; }

    /// <summary>Which datagram of the answer it came in.</summary>
    public int Dgram { get; init; }

    public required byte[] Raw { get; init; }

    public VolatileRange[]? Volatile { get; init; }
}

/// <summary>A step of a netlink scenario: <see cref="Op"/> tells which members are set.</summary>
public sealed record NetlinkStep
{
    /// <summary><c>setup</c>, <c>join</c>, <c>request</c> or <c>inject</c>.</summary>
    public required string Op { get; init; }

    public string? Sock { get; init; }

    public string? Family { get; init; }

    /// <summary>The command of a request, or the shell command of a set-up.</summary>
    public string? Cmd { get; init; }

    public int Flags { get; init; }

    /// <summary>The whole message.</summary>
    public byte[]? Request { get; init; }

    public VolatileRange[]? Volatile { get; init; }

    /// <summary>Null: no acknowledgement was asked for and none came.</summary>
    public int? Errno { get; init; }

    public bool Unordered { get; init; }

    public GoldenMessage[] Replies { get; init; } = [];

    public GoldenMessage[] Notifications { get; init; } = [];

    public GoldenMessage[] Upcalls { get; init; } = [];

    public string[]? Groups { get; init; }

    public string? Dev { get; init; }

    public byte[]? Packet { get; init; }

    public string? Note { get; init; }

    public string[]? KernelLog { get; init; }
}

/// <summary>A line of netlink.jsonl: a control transcript on a fresh namespace.</summary>
public sealed record NetlinkScenario
{
    public required string Name { get; init; }

    public required string Group { get; init; }

    public string? Note { get; init; }

    /// <summary>Netlink port id of each socket.</summary>
    public required Dictionary<string, uint> Sockets { get; init; }

    public required NetlinkStep[] Steps { get; init; }
}

/// <summary>A line of dpctl.jsonl: a command, what it printed and the messages it exchanged.</summary>
public sealed record DpctlVector
{
    public required string Name { get; init; }

    public required string Command { get; init; }

    public int Exit { get; init; }

    public required string Stdout { get; init; }

    public required string Stderr { get; init; }

    public required GoldenMessage[] Messages { get; init; }

    public string? Note { get; init; }
}
