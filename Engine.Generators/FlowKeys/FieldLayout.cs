using Microsoft.CodeAnalysis;

namespace Engine.Generators.FlowKeys;

/// <summary>Sizes and kinds of field types, as the runtime lays them out with Pack = 1.</summary>
internal static class FieldLayout
{
    /// <summary>Bytes of a type.</summary>
    /// <returns>0 when the type has no fixed size.</returns>
    public static int SizeOf(ITypeSymbol type)
    {
        int primitive = PrimitiveSize(type.SpecialType);
        if (primitive != 0)
        {
            return primitive;
        }

        if (type is not INamedTypeSymbol named || !type.IsValueType)
        {
            return 0;
        }

        if (named.EnumUnderlyingType is { } underlying)
        {
            return SizeOf(underlying);
        }

        int size = 0;
        foreach (ISymbol member in named.GetMembers())
        {
            if (member is IFieldSymbol { IsStatic: false, IsConst: false } field)
            {
                int fieldSize = SizeOf(field.Type);
                if (fieldSize == 0)
                {
                    return 0;
                }

                size += fieldSize;
            }
        }

        foreach (AttributeData attribute in named.GetAttributes())
        {
            if (attribute.AttributeClass?.Name == "InlineArrayAttribute" && attribute.ConstructorArguments.FirstOrDefault().Value is int length)
            {
                return size * length;
            }
        }

        return size;
    }

    /// <summary>How a field reads as a number.</summary>
    /// <param name="type">Type of the field.</param>
    /// <param name="numberType">C# keyword of its host-order value, empty for bytes.</param>
    /// <param name="enumType">Fully qualified name of an enum, else empty.</param>
    public static FieldKind KindOf(ITypeSymbol type, out string numberType, out string enumType)
    {
        enumType = string.Empty;
        ITypeSymbol number = type;
        if (type is INamedTypeSymbol { EnumUnderlyingType: { } underlying })
        {
            enumType = type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
            number = underlying;
        }

        if (PrimitiveSize(number.SpecialType) != 0)
        {
            numberType = number.ToDisplayString();
            return FieldKind.Host;
        }

        // Be16, Be32, Be64: a property Value in host order and a way back from the raw bytes.
        if (type.GetMembers("FromRaw").Length > 0 && type.GetMembers("Value").FirstOrDefault() is IPropertySymbol value && PrimitiveSize(value.Type.SpecialType) != 0)
        {
            numberType = value.Type.ToDisplayString();
            return FieldKind.Network;
        }

        numberType = string.Empty;
        return FieldKind.Bytes;
    }

    private static int PrimitiveSize(SpecialType type) => type switch
    {
        SpecialType.System_Byte or SpecialType.System_SByte => 1,
        SpecialType.System_UInt16 or SpecialType.System_Int16 => 2,
        SpecialType.System_UInt32 or SpecialType.System_Int32 => 4,
        SpecialType.System_UInt64 or SpecialType.System_Int64 => 8,
        _ => 0,
    };
}
