using System.Buffers.Binary;
using System.Text;
using Engine.Netlink;
using Engine.Tests.Golden;
using Engine.Text;

namespace Engine.Tests.Text;

/// <summary>Action bytes that went through the kernel, against what ovs-dpctl printed for them.</summary>
public sealed class ActionTextGoldenTests(GoldenReport report) : IClassFixture<GoldenReport>
{
    [Fact]
    public void Golden_actions_print_as_ovs_dpctl_prints_them()
    {
        List<string> different = [];
        foreach (ActionVector vector in GoldenFiles.Actions)
        {
            if (vector.DpctlText is not { } expected || vector.Actions is not { } actions)
            {
                continue;
            }

            report.Compared("actions: bytes to text", vector.Category);
            string text = Print(actions);
            if (text != expected && !IsPrintedWrongly(expected))
            {
                different.Add($"{vector.Name}\n  expected {expected}\n  printed  {text}");
            }
        }

        Assert.True(different.Count == 0, string.Join('\n', different));
    }

    [Fact]
    public void Golden_actions_read_back_into_the_same_bytes()
    {
        List<string> different = [];
        foreach (ActionVector vector in GoldenFiles.Actions)
        {
            if (vector.DpctlText is null || vector.Actions is not { } actions)
            {
                continue;
            }

            string text = Print(actions);
            NetlinkWriter writer = new(new byte[65536]);
            bool read = ActionText.TryParse(text, ref writer, out TextError error);
            if (!read)
            {
                different.Add($"{vector.Name}: {text}\n  {error}");
                continue;
            }

            if (WhatTextLoses(actions) is { } loss)
            {
                report.Awaiting("actions: text to bytes", vector.Category, "text keeps " + loss);
                continue;
            }

            report.Compared("actions: text to bytes", vector.Category);
            if (!writer.Written.SequenceEqual(actions))
            {
                different.Add($"{vector.Name}: {text}\n  expected {Convert.ToHexStringLower(actions)}\n  read     {Convert.ToHexStringLower(writer.Written)}");
            }
        }

        Assert.True(different.Count == 0, string.Join('\n', different));
    }

    /// <summary>Action 23 is DEC_TTL in the kernel and a tunnel push in Open vSwitch 3.1.</summary>
    private static bool IsPrintedWrongly(string text) => text.Contains("tnl_push", StringComparison.Ordinal);

    /// <summary>What the text of ovs-dpctl does not say about these actions; null when it says everything.</summary>
    private static string? WhatTextLoses(ReadOnlySpan<byte> actions)
    {
        string? loss = null;
        foreach (NetlinkAttribute action in new NetlinkAttributes(actions))
        {
            loss ??= (OvsActionAttribute)action.Type switch
            {
                OvsActionAttribute.AddMpls when !IsZero(action.Payload[6..]) => "no flags of add_mpls",
                OvsActionAttribute.PushNsh when HasLeadingZeros(action) => "no leading zeros of md2",
                OvsActionAttribute.Sample when IsRounded(action) => "one decimal place of sample",
                OvsActionAttribute.Sample => WhatTextLoses(Find(action, 2)),
                OvsActionAttribute.Clone => WhatTextLoses(action.Payload),
                OvsActionAttribute.CheckPacketLength => WhatTextLoses(Find(action, 2)) ?? WhatTextLoses(Find(action, 3)),
                OvsActionAttribute.DecrementTtl => WhatTextLoses(Find(action, 1)),
                _ => null,
            };
        }

        return loss;
    }

    private static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);

    private static bool HasLeadingZeros(NetlinkAttribute pushNsh)
    {
        foreach (NetlinkAttribute key in pushNsh.Nested)
        {
            ReadOnlySpan<byte> metadata = Find(key, (int)OvsNshKeyAttribute.Md2);
            return metadata.Length >= 4 && IsZero(metadata[..4]);
        }

        return false;
    }

    private static bool IsRounded(NetlinkAttribute sample)
    {
        uint probability = BinaryPrimitives.ReadUInt32LittleEndian(Find(sample, 1));
        double percent = Math.Round(100.0 * probability / uint.MaxValue, 1);
        return probability != (uint)Math.Floor((uint.MaxValue * (percent / 100)) + 0.5);
    }

    private static ReadOnlySpan<byte> Find(NetlinkAttribute outer, int type)
    {
        foreach (NetlinkAttribute attribute in outer.Nested)
        {
            if (attribute.Type == type)
            {
                return attribute.Payload;
            }
        }

        return default;
    }

    private static string Print(byte[] actions)
    {
        StringBuilder text = new();
        ActionText.Format(text, actions);
        return text.ToString();
    }
}
