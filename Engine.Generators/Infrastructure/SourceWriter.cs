using System.Text;

namespace Engine.Generators.Infrastructure;

/// <summary>Writes C# text with indentation. Line ends are LF whatever the machine.</summary>
internal sealed class SourceWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;
    private bool _blankPending;
    private bool _blockBegins;

    /// <summary>Writes one or more lines at the current depth. Empty lines get no trailing blanks.</summary>
    public SourceWriter Write(string lines)
    {
        foreach (string line in lines.Split('\n'))
        {
            WriteLine(line.TrimEnd('\r'));
        }

        return this;
    }

    /// <summary>Leaves an empty line, unless a block has just begun or ends next.</summary>
    public SourceWriter Blank()
    {
        _blankPending = !_blockBegins;
        return this;
    }

    /// <summary>Opens a brace and goes one level deeper.</summary>
    public SourceWriter Open(string? header = null)
    {
        if (header is not null)
        {
            Write(header);
        }

        WriteLine("{");
        _blockBegins = true;
        _depth++;
        return this;
    }

    /// <summary>Closes the brace.</summary>
    public SourceWriter Close(string suffix = "")
    {
        _depth--;
        _blankPending = false;
        WriteLine("}" + suffix);
        return this;
    }

    /// <summary>Everything written.</summary>
    public override string ToString() => _text.ToString();

    private void WriteLine(string line)
    {
        if (_blankPending)
        {
            _text.Append('\n');
        }

        _blankPending = false;
        _blockBegins = false;
        if (line.Length > 0)
        {
            _text.Append(' ', _depth * 4).Append(line);
        }

        _text.Append('\n');
    }
}
