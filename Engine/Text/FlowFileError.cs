using System.Globalization;

namespace Engine.Text;

/// <summary>A line of a flows file that makes no sense, or that the kernel would refuse.</summary>
/// <param name="File">Name of the file as it was given.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column in characters, from 1.</param>
/// <param name="Message">A sentence without a final period: <c>expected ...</c>, or the kernel's reason.</param>
public readonly record struct FlowFileError(string File, int Line, int Column, string Message)
{
    /// <summary><c>edge.flows:3:17: expected an IPv4 address after "src="</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}:{Column}: {Message}");
}
