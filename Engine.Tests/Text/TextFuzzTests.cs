using System.Text;
using Engine.Netlink;
using Engine.Tests.Oracles;
using Engine.Text;
using Xunit.Abstractions;

namespace Engine.Tests.Text;

/// <summary>Random and mutated texts and bytes: an error at worst, never an exception.</summary>
public sealed class TextFuzzTests(ITestOutputHelper output)
{
    private const int Rounds = 8_000;
    private const string Alphabet = "abcdefgiklmnoprstuvxz0123456789(),=:/.+-|_{}[]%# x\t";

    [Fact]
    public void Texts_never_throw()
    {
        Random random = TestSeed.NewRandom(output);
        string[] keys = [.. RecordedTexts.Read<RecordedKey>("keys").Select(line => line.Verbose)];
        string[] actions = [.. RecordedTexts.Read<RecordedActions>("actions").Select(line => line.Text)];
        StringBuilder text = new();
        for (int i = 0; i < Rounds; i++)
        {
            string line = Mutate(random, keys[random.Next(keys.Length)] + " " + actions[random.Next(actions.Length)]);
            if (FlowFile.TryParse("f", line, out IReadOnlyList<FlowLine> flows, out IReadOnlyList<FlowFileError> errors))
            {
                foreach (FlowLine flow in flows)
                {
                    text.Clear();
                    FlowText.Format(text, in flow.Key, in flow.Mask, verbose: i % 2 == 0);
                    ActionText.Format(text.Append(' '), flow.Actions.Span);
                    Assert.True(FlowFile.TryParse("f", text.ToString(), out _, out errors), $"{line}\n{text}\n{string.Join('\n', errors)}");
                }
            }
            else
            {
                Assert.All(errors, error => Assert.InRange(error.Column, 1, line.Length + 1));
            }
        }
    }

    [Fact]
    public void Bytes_never_throw()
    {
        Random random = TestSeed.NewRandom(output);
        byte[][] keys = [.. RecordedTexts.Read<RecordedKey>("keys").Select(line => Convert.FromHexString(line.Key))];
        byte[][] actions = [.. RecordedTexts.Read<RecordedActions>("actions").Select(line => Convert.FromHexString(line.Actions))];
        StringBuilder text = new();
        for (int i = 0; i < Rounds; i++)
        {
            text.Clear();
            byte[] key = Mutate(random, keys[random.Next(keys.Length)]);
            FlowText.FormatNetlink(text, key, i % 3 == 0 ? [] : Mutate(random, key), verbose: i % 2 == 0);
            ActionText.Format(text, Mutate(random, actions[random.Next(actions.Length)]));
        }
    }

    [Fact]
    public void Bytes_nested_without_end_are_printed()
    {
        byte[] bytes = new byte[65_532];
        for (int i = 0; i < bytes.Length; i += 4)
        {
            int length = bytes.Length - i;
            bytes[i] = (byte)length;
            bytes[i + 1] = (byte)(length >> 8);
            bytes[i + 2] = (byte)OvsKeyAttribute.Encap;
        }

        StringBuilder text = new();
        FlowText.FormatNetlink(text, bytes, bytes, verbose: true);
        for (int i = 0; i < bytes.Length; i += 4)
        {
            bytes[i + 2] = (byte)OvsActionAttribute.Clone;
        }

        ActionText.Format(text, bytes);
    }

    private static string Mutate(Random random, string line)
    {
        StringBuilder text = new(line);
        for (int changes = random.Next(4); changes > 0 && text.Length > 0; changes--)
        {
            int at = random.Next(text.Length);
            switch (random.Next(5))
            {
                case 0:
                    text[at] = Alphabet[random.Next(Alphabet.Length)];
                    break;
                case 1:
                    text.Insert(at, Alphabet[random.Next(Alphabet.Length)]);
                    break;
                case 2:
                    text.Remove(at, Math.Min(random.Next(1, 12), text.Length - at));
                    break;
                case 3:
                    text.Insert(at, text.ToString(at, Math.Min(random.Next(1, 40), text.Length - at)));
                    break;
                default:
                    text.Length = at;
                    break;
            }
        }

        return text.ToString();
    }

    private static byte[] Mutate(Random random, byte[] bytes)
    {
        byte[] mutated = bytes.AsSpan(0, random.Next(4) == 0 ? random.Next(bytes.Length + 1) : bytes.Length).ToArray();
        for (int changes = random.Next(5); changes > 0 && mutated.Length > 0; changes--)
        {
            mutated[random.Next(mutated.Length)] = (byte)random.Next(random.Next(2) == 0 ? 256 : 34);
        }

        return mutated;
    }
}
