namespace Engine.Text;

/// <summary>Where a text stops making sense, and what was expected there.</summary>
/// <param name="Offset">Characters from the start of the text.</param>
/// <param name="Expected">What was expected, to be read after the word "expected"; null when there is no error.</param>
public readonly record struct TextError(int Offset, string? Expected)
{
    /// <summary>No error.</summary>
    public static TextError None => default;

    /// <summary>Whether there is an error.</summary>
    public bool IsError => Expected is not null;

    /// <inheritdoc/>
    public override string ToString() => IsError ? $"{Offset + 1}: expected {Expected}" : "no error";
}
