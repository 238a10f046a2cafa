using System.Text;
using Engine.Netlink;
using Engine.Text;

namespace Engine.Tests.Text;

/// <summary>Texts and bytes against what Open vSwitch 3.1.0 makes of them.</summary>
public sealed class RecordedTextTests
{
    [Fact]
    public void Keys_print_as_Open_vSwitch_prints_them()
    {
        Differences differences = new();
        foreach (RecordedKey line in RecordedTexts.Read<RecordedKey>("keys"))
        {
            byte[] key = Convert.FromHexString(line.Key);
            byte[] mask = Convert.FromHexString(line.Mask);
            differences.Compare(line.Text, WithComma(line.Terse), Print(key, mask, verbose: false));
            differences.Compare(line.Text, line.Verbose, Print(key, mask, verbose: true));
            differences.Compare(line.Text, line.Exact, Print(key, [], verbose: true));
        }

        differences.AssertNone();
    }

    [Fact]
    public void Keys_of_golden_flows_and_packets_print_as_Open_vSwitch_prints_them()
    {
        Differences differences = new();
        foreach (RecordedKey line in RecordedTexts.Read<RecordedKey>("printed-keys").Where(IsWellFormed))
        {
            byte[] key = Convert.FromHexString(line.Key);
            byte[] mask = Convert.FromHexString(line.Mask);
            differences.Compare(line.Key, line.Verbose, Print(key, mask, verbose: true));
            if (mask.Length > 0)
            {
                differences.Compare(line.Key, WithComma(line.Terse), Print(key, mask, verbose: false));
            }
        }

        differences.AssertNone();
    }

    [Fact]
    public void Keys_are_read_into_the_attributes_that_Open_vSwitch_sends()
    {
        Differences differences = new();
        foreach (RecordedKey line in RecordedTexts.Read<RecordedKey>("keys"))
        {
            NetlinkWriter key = new(new byte[4096]);
            NetlinkWriter mask = new(new byte[4096]);
            if (!FlowText.TryParseNetlink(line.Text, ref key, ref mask, out TextError error))
            {
                differences.Add(line.Text, error.ToString());
                continue;
            }

            differences.Compare(line.Text, line.Key, WithoutCompletions(key.Written, Convert.FromHexString(line.Key)));
            differences.Compare(line.Text, line.Mask, Hex(mask.Written));
        }

        differences.AssertNone();
    }

    [Fact]
    public void Printed_keys_are_read_back_into_the_same_attributes()
    {
        Differences differences = new();
        foreach (RecordedKey line in RecordedTexts.Read<RecordedKey>("printed-keys").Where(IsComplete))
        {
            NetlinkWriter key = new(new byte[4096]);
            NetlinkWriter mask = new(new byte[4096]);
            if (!FlowText.TryParseNetlink(line.Verbose, ref key, ref mask, out TextError error))
            {
                differences.Add(line.Verbose, error.ToString());
                continue;
            }

            differences.Compare(line.Verbose, line.Verbose, Print(key.Written, mask.Written, verbose: true));
        }

        differences.AssertNone();
    }

    [Fact]
    public void Actions_print_as_Open_vSwitch_prints_them()
    {
        Differences differences = new();
        foreach (RecordedActions line in RecordedTexts.Read<RecordedActions>("actions"))
        {
            StringBuilder text = new();
            ActionText.Format(text, Convert.FromHexString(line.Actions));
            differences.Compare(line.Text, line.Printed, text.ToString());
        }

        differences.AssertNone();
    }

    [Fact]
    public void Actions_are_read_into_the_attributes_that_Open_vSwitch_sends()
    {
        Differences differences = new();
        foreach (RecordedActions line in RecordedTexts.Read<RecordedActions>("actions"))
        {
            NetlinkWriter actions = new(new byte[4096]);
            if (ActionText.TryParse(line.Text, ref actions, out TextError error))
            {
                differences.Compare(line.Text, line.Actions, Hex(actions.Written));
            }
            else
            {
                differences.Add(line.Text, error.ToString());
            }
        }

        differences.AssertNone();
    }

    // What is malformed is printed in words of our own.
    private static bool IsWellFormed(RecordedKey line) =>
        !line.Verbose.StartsWith("unspec", StringComparison.Ordinal);

    // Text has no value of frag without a mask, on which it depends whether there are ports.
    private static bool IsComplete(RecordedKey line) =>
        line.Mask.Length > 0 && !line.Verbose.StartsWith("<empty>", StringComparison.Ordinal)
        && (!line.Verbose.Contains("ttl=", StringComparison.Ordinal) || line.Verbose.Contains("frag=", StringComparison.Ordinal));

    // Open vSwitch forgets a comma behind a leading eth().
    private static string WithComma(string text) =>
        text.StartsWith("eth()e", StringComparison.Ordinal) ? "eth()," + text[5..] : text;

    private static string Print(ReadOnlySpan<byte> key, ReadOnlySpan<byte> mask, bool verbose)
    {
        StringBuilder text = new();
        FlowText.FormatNetlink(text, key, mask, verbose);
        return text.ToString();
    }

    // Open vSwitch sends what the text has; the kernel then refuses a key without an attribute that the others call for.
    private static string WithoutCompletions(ReadOnlySpan<byte> read, ReadOnlySpan<byte> expected)
    {
        if (read.Length > expected.Length && read.StartsWith(expected))
        {
            foreach (NetlinkAttribute completion in new NetlinkAttributes(read[expected.Length..]))
            {
                Assert.False(completion.Payload.ContainsAnyExcept((byte)0), "a completion that is not zero");
            }

            return Hex(expected);
        }

        return Hex(read);
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
