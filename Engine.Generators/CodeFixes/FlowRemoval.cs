using System.Collections.Immutable;
using Microsoft.CodeAnalysis.Text;

namespace Engine.Generators.CodeFixes;

/// <summary>What removing a flow is alike in C# and in a file of flows.</summary>
internal static class FlowRemoval
{
    /// <summary>A flow whose key and mask an earlier one has; its actions may be others.</summary>
    public const string GivenTwice = "ENG0403";

    /// <summary>What an editor says.</summary>
    public const string Title = "Remove the flow, which no packet gets to";

    /// <summary>What is fixed so.</summary>
    public static ImmutableArray<string> Ids { get; } = [GivenTwice, "ENG0408", "ENG0409"];

    /// <summary>A span with the lines that it fills alone; else with the spaces behind it.</summary>
    public static TextSpan WithItsLines(SourceText text, TextSpan span)
    {
        TextLine first = text.Lines.GetLineFromPosition(span.Start), last = text.Lines.GetLineFromPosition(span.End);
        bool isAlone = text.ToString(TextSpan.FromBounds(first.Start, span.Start)).Trim().Length == 0
            && text.ToString(TextSpan.FromBounds(span.End, last.End)).Trim().Length == 0;
        if (isAlone)
        {
            return TextSpan.FromBounds(first.Start, last.EndIncludingLineBreak);
        }

        int end = span.End;
        while (end < last.End && char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        return TextSpan.FromBounds(span.Start, end);
    }
}
