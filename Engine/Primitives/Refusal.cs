namespace Engine.Primitives;

/// <summary>Why a request was refused: the kernel's errno, and a sentence that names what is at fault.</summary>
/// <param name="Errno">The errno the kernel gives; <see cref="Errno.None"/> when nothing was refused.</param>
/// <param name="Reason">A sentence without a final period; null when nothing was refused.</param>
/// <param name="Offset">Byte offset in the input where it went wrong, or -1 if not tied to one place.</param>
public readonly record struct Refusal(Errno Errno, string? Reason, int Offset = -1)
{
    /// <summary>Nothing was refused.</summary>
    public static Refusal None => default;

    /// <summary>Whether the request was refused.</summary>
    public bool IsRefused => Errno != Errno.None;

    /// <summary>EINVAL with a reason, by far the most common refusal.</summary>
    public static Refusal Invalid(string reason, int offset = -1) => new(Errno.InvalidArgument, reason, offset);

    /// <inheritdoc/>
    public override string ToString() => IsRefused ? $"{Reason} ({Errno})" : "accepted";
}
