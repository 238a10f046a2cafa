using System.Text;
using Engine.Flows;

namespace Engine.Text;

/// <summary>The text form of a flow id: <c>00112233-4455-6677-8899-aabbccddeeff</c>, four 32-bit numbers of the host's byte order.</summary>
public static class UfidText
{
    /// <summary>Reads a UFID of 36 characters, without the prefix <c>ufid:</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Ufid ufid) => throw new NotSupportedException();

    /// <summary>Appends a UFID, without the prefix <c>ufid:</c>.</summary>
    public static void Format(StringBuilder text, Ufid ufid) => throw new NotSupportedException();
}
