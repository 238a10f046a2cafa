using Engine.Generators.Infrastructure;

namespace Engine.Generators.Headers;

/// <summary>A protocol header as declared: everything that the emitter needs, comparable.</summary>
/// <param name="Namespace">Namespace of the struct.</param>
/// <param name="Name">Name of the struct.</param>
/// <param name="Accessibility">C# keyword.</param>
/// <param name="Size">Bytes on the wire.</param>
/// <param name="Fields">In the order of the wire.</param>
/// <param name="BitRanges">In the order of the declaration.</param>
internal sealed record HeaderSpec(
    string Namespace,
    string Name,
    string Accessibility,
    int Size,
    EquatableArray<HeaderField> Fields,
    EquatableArray<BitRange> BitRanges);

/// <summary>A field of a header.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Offset">Bytes from the start of the header.</param>
/// <param name="Size">Bytes.</param>
internal sealed record HeaderField(string Name, int Offset, int Size);

/// <summary>A property that is a range of bits of a field.</summary>
/// <param name="Name">Name of the property.</param>
/// <param name="Type">C# keyword of its type: bool, byte, ushort, uint or ulong.</param>
/// <param name="Accessibility">C# keyword.</param>
/// <param name="Field">Name of the field.</param>
/// <param name="FieldBits">Bits of the field: 8 for byte, 16 for Be16, and so on.</param>
/// <param name="Shift">Lowest bit.</param>
/// <param name="Width">Number of bits.</param>
internal sealed record BitRange(
    string Name,
    string Type,
    string Accessibility,
    string Field,
    int FieldBits,
    int Shift,
    int Width);
