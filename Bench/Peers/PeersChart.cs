using System.Globalization;
using System.Text;

namespace Bench.Peers;

/// <summary>A bar chart of cycles per packet, a group of bars for each case, on a logarithmic scale.</summary>
internal static class PeersChart
{
    private const int Width = 900;
    private const int Left = 190;
    private const int BarHeight = 14;
    private const double Lowest = 10;
    private const double Highest = 20_000;

    private static readonly string[] s_colours = ["#0b7285", "#74c0cb", "#d9480f", "#f08c00", "#ffd43b", "#868e96", "#ced4da"];

    /// <summary>Draws it.</summary>
    public static string Draw(IReadOnlyList<PeersReport.CaseResult> cases, string subtitle)
    {
        string[] names = [.. cases.SelectMany(result => result.Contenders).Select(contender => contender.Name).Distinct()];
        int height = 70 + (names.Length * 16) + cases.Sum(result => (result.Contenders.Count * BarHeight) + 12);
        StringBuilder svg = new();
        CultureInfo culture = CultureInfo.InvariantCulture;
        svg.Append(culture, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" font-family="sans-serif" font-size="11">""").Append('\n');
        svg.Append(culture, $"""<rect width="{Width}" height="{height}" fill="white"/>""").Append('\n');
        svg.Append(culture, $"""<text x="10" y="20" font-size="15">Cycles per packet, 1 core, from memory to a discarding port (less is better, logarithmic)</text>""").Append('\n');
        svg.Append(culture, $"""<text x="10" y="36" fill="#555">{subtitle}</text>""").Append('\n');
        int y = 50;
        for (int i = 0; i < names.Length; i++, y += 16)
        {
            svg.Append(culture, $"""<rect x="{Left}" y="{y}" width="11" height="11" fill="{Colour(names, names[i])}"/><text x="{Left + 17}" y="{y + 10}">{names[i]}</text>""").Append('\n');
        }

        y += 8;
        foreach (PeersReport.CaseResult result in cases)
        {
            svg.Append(culture, $"""<text x="{Left - 8}" y="{y + (result.Contenders.Count * BarHeight / 2) + 4}" text-anchor="end">{result.Name}</text>""").Append('\n');
            foreach (PeersReport.ContenderResult contender in result.Contenders)
            {
                double width = Math.Max(1, (Width - Left - 70) * Math.Log(contender.CyclesPerPacket / Lowest) / Math.Log(Highest / Lowest));
                svg.Append(culture, $"""<rect x="{Left}" y="{y}" width="{width:F1}" height="{BarHeight - 2}" fill="{Colour(names, contender.Name)}"/>""");
                svg.Append(culture, $"""<text x="{Left + width + 5:F1}" y="{y + 10}">{contender.CyclesPerPacket:N0}</text>""").Append('\n');
                y += BarHeight;
            }

            y += 12;
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static string Colour(string[] names, string name) => s_colours[Array.IndexOf(names, name) % s_colours.Length];
}
