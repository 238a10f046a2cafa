using System.Globalization;

namespace Engine.Generators.Pipelines;

/// <summary>Numbers as generated code has them.</summary>
internal static class Literal
{
    /// <summary>In decimal.</summary>
    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc cref="Number(long)"/>
    public static string Number(int number) => Number((long)number);

    /// <summary>32 bits in hexadecimal.</summary>
    public static string Hex(uint number) => "0x" + number.ToString("x", CultureInfo.InvariantCulture) + "u";

    /// <summary>64 bits in hexadecimal.</summary>
    public static string Hex(ulong number) => "0x" + number.ToString("x", CultureInfo.InvariantCulture) + "UL";
}
