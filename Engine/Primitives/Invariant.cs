using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Engine.Primitives;

/// <summary>States what must hold inside the engine. Gone in Release; in Debug a breach throws with file, line and expression.</summary>
public static class Invariant
{
    /// <summary>Throws in Debug when <paramref name="condition"/> is false.</summary>
    [Conditional("DEBUG")]
    public static void Assert(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string? expression = null,
        [CallerFilePath] string? file = null,
        [CallerLineNumber] int line = 0)
    {
        if (!condition)
        {
            Throw(expression, file, line);
        }
    }

    [DoesNotReturn]
    private static void Throw(string? expression, string? file, int line) =>
        throw new InvalidOperationException($"{file}({line}): invariant does not hold: {expression}");
}
