using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Engine.Control;

namespace Engine.Cli;

/// <summary>A file of dpctl's verbs, one a line, that an engine carries out before it serves: <c>add-if dp0 eth1,port_no=3</c>.</summary>
/// <remarks>
/// Words are separated by spaces; one with spaces in it stands in quotation marks, single or double. <c>#</c> at the start of a word begins a
/// comment. Options stand anywhere in the line.
/// </remarks>
internal static class DpctlScript
{
    /// <summary>Carries a script out, up to its first error.</summary>
    /// <param name="server">The engine, which nobody else uses yet.</param>
    /// <param name="path">The file.</param>
    /// <param name="output">What verbs such as show print.</param>
    /// <param name="error">Gets <c>file:line:column: what</c>.</param>
    /// <returns>False when something went wrong.</returns>
    public static bool Run(ControlServer server, string path, TextWriter output, TextWriter error)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception failure) when (CommandFailure.IsOfFile(failure))
        {
            error.WriteLine(CommandFailure.OfFile("read", path, failure).Message);
            return false;
        }

        Command command = new("line");
        DpctlOptions.Reader reader = DpctlOptions.AddTo(command);
        using ControlConnection connection = ControlConnection.To(server);
        DatapathClient client = new(connection);
        for (int i = 0; i < lines.Length; i++)
        {
            int number = i + 1;
            string Prefix(int column) => string.Create(CultureInfo.InvariantCulture, $"{path}:{number}:{column + 1}: ");
            if (!TrySplit(lines[i], out ImmutableArray<(string Text, int Column)> words, out int unclosed))
            {
                error.WriteLine($"{Prefix(unclosed)}the quotation mark is not closed");
                return false;
            }

            if (words.IsEmpty)
            {
                continue;
            }

            ParseResult parsed = command.Parse([.. words.Where(IsOption).Select(static word => word.Text)]);
            if (parsed.Errors.Count != 0 || parsed.UnmatchedTokens.Count != 0 || reader.ReadWords(parsed).Length != 0)
            {
                error.WriteLine($"{Prefix(words.First(IsOption).Column)}unknown option among {string.Join(' ', words.Where(IsOption).Select(static word => word.Text))}");
                return false;
            }

            ImmutableArray<(string Text, int Column)> arguments = words.RemoveAll(IsOption);
            string PrefixOf(DpctlPlace place) => Prefix(place.Word < arguments.Length ? arguments[place.Word].Column + place.Offset : 0);
            DpctlSession session = new(client, output, error, PrefixOf) { Options = reader.Read(parsed) };
            if (!DpctlVerb.Run(session, [.. arguments.Select(static word => word.Text)]) || session.HasFailed)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsOption((string Text, int Column) word) => word.Text.StartsWith('-') && word.Text.Length > 1;

    // False with the column of a quotation mark that is not closed.
    private static bool TrySplit(string line, out ImmutableArray<(string Text, int Column)> words, out int unclosed)
    {
        ImmutableArray<(string, int)>.Builder found = ImmutableArray.CreateBuilder<(string, int)>();
        unclosed = 0;
        int at = 0;
        while (true)
        {
            while (at < line.Length && char.IsWhiteSpace(line[at]))
            {
                at++;
            }

            if (at == line.Length || line[at] == '#')
            {
                words = found.ToImmutable();
                return true;
            }

            int start = at;
            if (line[at] is '"' or '\'')
            {
                start++;
                at = line.IndexOf(line[at], start);
                if (at < 0)
                {
                    words = [];
                    unclosed = start - 1;
                    return false;
                }

                found.Add((line[start..at], start));
                at++;
                continue;
            }

            while (at < line.Length && !char.IsWhiteSpace(line[at]))
            {
                at++;
            }

            found.Add((line[start..at], start));
        }
    }
}
