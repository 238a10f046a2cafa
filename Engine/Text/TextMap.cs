namespace Engine.Text;

/// <summary>Remembers which place in a text each netlink attribute came from, so that a refusal can point into the text.</summary>
/// <remarks>Grows in the order of parsing. Not thread safe.</remarks>
public sealed class TextMap
{
    private readonly List<Entry> _entries = [];

    /// <summary>Forgets everything.</summary>
    public void Clear() => _entries.Clear();

    /// <summary>Notes that the attribute whose header is at <paramref name="netlinkOffset"/> was read at <paramref name="textOffset"/>.</summary>
    public void Add(int netlinkOffset, int textOffset) => _entries.Add(new Entry(netlinkOffset, textOffset));

    /// <summary>The place in the text of the innermost attribute that covers a byte.</summary>
    /// <param name="netlinkOffset">Byte offset as in <see cref="Engine.Primitives.Refusal.Offset"/>; -1 gives the start.</param>
    public int TextOffset(int netlinkOffset)
    {
        int text = _entries.Count == 0 ? 0 : _entries[0].Text;
        int nearest = -1;
        foreach (Entry entry in _entries)
        {
            if (entry.Netlink <= netlinkOffset && entry.Netlink > nearest)
            {
                nearest = entry.Netlink;
                text = entry.Text;
            }
        }

        return text;
    }

    private readonly record struct Entry(int Netlink, int Text);
}
