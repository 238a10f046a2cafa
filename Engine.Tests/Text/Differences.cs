namespace Engine.Tests.Text;

/// <summary>Collects what differs, so that one run of a table shows all of it.</summary>
internal sealed class Differences
{
    private readonly List<string> _lines = [];

    /// <summary>Lines compared.</summary>
    public int Compared { get; private set; }

    public void Compare(string what, string expected, string actual)
    {
        Compared++;
        if (expected != actual)
        {
            _lines.Add($"{what}\n  expected {expected}\n  actual   {actual}");
        }
    }

    public void Add(string what, string difference) => _lines.Add($"{what}\n  {difference}");

    public void AssertNone()
    {
        Assert.True(_lines.Count == 0, $"{_lines.Count} differ:\n" + string.Join('\n', _lines.Take(40)));
        Assert.NotEqual(0, Compared);
    }
}
