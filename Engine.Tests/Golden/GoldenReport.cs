using System.Globalization;
using System.Text;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Engine.Tests.Golden;

/// <summary>Counts the vectors that a test class compared and prints the counts by category when the class is done.</summary>
/// <remarks>
/// Use as a class fixture: <c>class XGoldenTests(GoldenReport report) : IClassFixture&lt;GoldenReport&gt;</c>. The counts go out as
/// diagnostic messages, which <c>dotnet test</c> shows without further options. Any thread.
/// </remarks>
public sealed class GoldenReport(IMessageSink sink) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, SortedDictionary<string, int>> _compared = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SortedDictionary<string, int>> _awaiting = new(StringComparer.Ordinal);

    /// <summary>Counts one vector of <paramref name="file"/> that was compared, whatever the outcome.</summary>
    /// <param name="file">What was compared with what, for instance <c>key_extract</c> or <c>actions: sequences</c>.</param>
    /// <param name="category">The category of the vector.</param>
    public void Compared(string file, string category) => Count(_compared, file, category);

    /// <summary>Counts one vector that was not compared.</summary>
    /// <param name="file">As in <see cref="Compared"/>.</param>
    /// <param name="category">The category of the vector.</param>
    /// <param name="capability">What <see cref="GoldenCoverage"/> says it waits for.</param>
    public void Awaiting(string file, string category, string capability) => Count(_awaiting, file, $"{category} until {capability}");

    /// <summary>Prints the counts.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            Print("compared", _compared);
            Print("not compared", _awaiting);
        }
    }

    private void Count(SortedDictionary<string, SortedDictionary<string, int>> counts, string file, string category)
    {
        lock (_lock)
        {
            if (!counts.TryGetValue(file, out SortedDictionary<string, int>? categories))
            {
                counts[file] = categories = new SortedDictionary<string, int>(StringComparer.Ordinal);
            }

            categories[category] = categories.GetValueOrDefault(category) + 1;
        }
    }

    private void Print(string what, SortedDictionary<string, SortedDictionary<string, int>> counts)
    {
        foreach ((string file, SortedDictionary<string, int> categories) in counts)
        {
            StringBuilder line = new();
            line.Append(CultureInfo.InvariantCulture, $"golden {file}: {categories.Values.Sum()} {what} (");
            line.AppendJoin(", ", categories.Select(category => string.Create(CultureInfo.InvariantCulture, $"{category.Key} {category.Value}")));
            sink.OnMessage(new DiagnosticMessage(line.Append(')').ToString()));
        }
    }
}
