namespace Engine.Text;

/// <summary>Where a text stops making sense, and why.</summary>
/// <param name="Offset">Characters from the start of the text.</param>
/// <param name="Message">A sentence without a final period, mostly <c>expected ...</c>; null when there is no error.</param>
public readonly record struct TextError(int Offset, string? Message)
{
    /// <summary>No error.</summary>
    public static TextError None => default;

    /// <summary>Whether there is an error.</summary>
    public bool IsError => Message is not null;

    /// <inheritdoc/>
    public override string ToString() => IsError ? $"{Offset + 1}: {Message}" : "no error";
}
