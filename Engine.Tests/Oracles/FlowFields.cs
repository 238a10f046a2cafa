using System.Reflection;
using System.Runtime.InteropServices;
using Engine.Flows;

namespace Engine.Tests.Oracles;

/// <summary>Where the fields of a flow key lie, by reflection rather than by what the generator says.</summary>
internal static class FlowFields
{
    /// <summary>Every field that can be matched, in the order of the declaration.</summary>
    public static IReadOnlyList<FlowField> All { get; } = Find();

    /// <summary>Bytes from the start of a key that are compared: all fields, not <see cref="FlowKey.Segments"/>.</summary>
    public static int ComparedBytes { get; } = (int)Marshal.OffsetOf<FlowKey>(nameof(FlowKey.Segments));

    private static FlowField[] Find() =>
    [
        .. typeof(FlowKey).GetFields(BindingFlags.Public | BindingFlags.Instance)
            .Where(field => field.Name != nameof(FlowKey.Segments))
            .Select(field => new FlowField(field.Name, (int)Marshal.OffsetOf<FlowKey>(field.Name), Marshal.SizeOf(field.FieldType.IsEnum ? Enum.GetUnderlyingType(field.FieldType) : field.FieldType)))
    ];
}

/// <summary>A field of the flow key.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Offset">Bytes from the start of the key.</param>
/// <param name="Size">Number of bytes.</param>
internal readonly record struct FlowField(string Name, int Offset, int Size);
