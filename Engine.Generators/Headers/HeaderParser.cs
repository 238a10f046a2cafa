using System.Globalization;
using Engine.Generators.Diagnostics;
using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Engine.Generators.Headers;

/// <summary>Reads a struct marked <c>[ProtocolHeader]</c> into a <see cref="HeaderSpec"/>.</summary>
internal sealed class HeaderParser
{
    /// <summary>The attribute that marks a header.</summary>
    public const string MarkerAttribute = "Engine.Annotations.ProtocolHeaderAttribute";

    private const string BitRangeAttribute = "Engine.Annotations.BitRangeAttribute";

    private readonly INamedTypeSymbol _type;
    private readonly List<DiagnosticInfo> _diagnostics = [];
    private readonly List<HeaderField> _fields = [];
    private readonly Dictionary<string, int> _bitsOfField = [];
    private readonly List<BitRange> _ranges = [];

    private HeaderParser(INamedTypeSymbol type) => _type = type;

    /// <summary>Reads the struct. The spec is null when anything was reported.</summary>
    public static ParseResult<HeaderSpec> Parse(GeneratorAttributeSyntaxContext context, CancellationToken cancellation)
    {
        HeaderParser parser = new((INamedTypeSymbol)context.TargetSymbol);
        HeaderSpec? spec = parser.Parse((TypeDeclarationSyntax)context.TargetNode, context.Attributes[0], cancellation);
        return new(parser._diagnostics.Count == 0 ? spec : null, parser._diagnostics.ToEquatableArray());
    }

    private HeaderSpec? Parse(TypeDeclarationSyntax declaration, AttributeData marker, CancellationToken cancellation)
    {
        if (!declaration.Modifiers.Any(SyntaxKind.PartialKeyword) || _type.ContainingType is not null || _type.IsGenericType)
        {
            Report(DiagnosticDescriptors.HeaderNotPartial, declaration.Identifier.GetLocation(), _type.Name);
            return null;
        }

        int total = 0;
        foreach (IFieldSymbol field in _type.GetMembers().OfType<IFieldSymbol>())
        {
            cancellation.ThrowIfCancellationRequested();
            if (!field.IsStatic && !field.IsImplicitlyDeclared)
            {
                total += ParseField(field, total);
            }
        }

        int size = Number(marker, "Size");
        if (_diagnostics.Count == 0 && total != size)
        {
            Report(DiagnosticDescriptors.HeaderWrongSize, LocationOf(marker, _type), _type.Name, Text(total), Text(size));
        }

        foreach (IPropertySymbol property in _type.GetMembers().OfType<IPropertySymbol>())
        {
            cancellation.ThrowIfCancellationRequested();
            if (property.GetAttributes().FirstOrDefault(IsBitRange) is { } attribute)
            {
                ParseRange(property, attribute);
            }
        }

        return new HeaderSpec(
            _type.ContainingNamespace.ToDisplayString(),
            _type.Name,
            SyntaxFacts.GetText(_type.DeclaredAccessibility),
            size,
            _fields.ToEquatableArray(),
            _ranges.ToEquatableArray());
    }

    private int ParseField(IFieldSymbol field, int offset)
    {
        int size = SizeOnWire(field.Type);
        if (size == 0)
        {
            Report(DiagnosticDescriptors.HeaderFieldWithoutByteOrder, field.Locations.FirstOrDefault(), field.Name, field.Type.ToDisplayString());
            return 0;
        }

        _fields.Add(new HeaderField(field.Name, offset, size));
        if (field.Type.Name is "Byte" or "Be16" or "Be32" or "Be64")
        {
            _bitsOfField.Add(field.Name, size * 8);
        }

        return size;
    }

    private void ParseRange(IPropertySymbol property, AttributeData attribute)
    {
        Location? location = LocationOf(attribute, property);
        string fieldName = attribute.ConstructorArguments.FirstOrDefault().Value as string ?? string.Empty;
        int shift = Number(attribute, "Shift");
        int width = Number(attribute, "Width");
        if (!property.IsPartialDefinition || property.IsStatic || property.GetMethod is not { IsReadOnly: true } || property.SetMethod is not { IsInitOnly: false })
        {
            Report(DiagnosticDescriptors.BitRangeNotPartial, location, property.Name);
        }
        else if (!_bitsOfField.TryGetValue(fieldName, out int fieldBits))
        {
            Report(DiagnosticDescriptors.BitRangeWithoutField, location, property.Name, fieldName);
        }
        else if (shift < 0 || width < 1 || shift + width > fieldBits)
        {
            Report(DiagnosticDescriptors.BitRangeOutsideField, location, property.Name, fieldName, Text(fieldBits));
        }
        else if (BitsOfProperty(property.Type) is var propertyBits && (width > propertyBits || propertyBits == 0))
        {
            Report(DiagnosticDescriptors.BitRangeTooWide, location, property.Name, Text(width), property.Type.ToDisplayString());
        }
        else if (_ranges.FirstOrDefault(other => other.Field == fieldName && shift < other.Shift + other.Width && other.Shift < shift + width) is { } overlapped)
        {
            Report(DiagnosticDescriptors.BitRangesOverlap, location, property.Name, overlapped.Name, fieldName);
        }
        else
        {
            string accessibility = SyntaxFacts.GetText(property.DeclaredAccessibility);
            _ranges.Add(new BitRange(
                property.Name,
                property.Type.ToDisplayString(),
                accessibility,
                fieldName,
                fieldBits,
                shift,
                width));
        }
    }

    // Only types whose bytes stand in memory as on the wire. A host-order ushort would compile and be wrong.
    private static int SizeOnWire(ITypeSymbol type)
    {
        if (type.SpecialType == SpecialType.System_Byte)
        {
            return 1;
        }

        if (type.GetAttributes().FirstOrDefault(attribute => attribute.AttributeClass?.ToDisplayString() == MarkerAttribute) is { } nested)
        {
            return Number(nested, "Size");
        }

        return type.ToDisplayString() switch
        {
            "Engine.Primitives.Be16" => 2,
            "Engine.Primitives.Be32" => 4,
            "Engine.Primitives.Be64" => 8,
            "Engine.Primitives.EthernetAddress" => 6,
            "Engine.Primitives.Ipv6Address" => 16,
            _ => 0,
        };
    }

    private static int BitsOfProperty(ITypeSymbol type) => type.SpecialType switch
    {
        SpecialType.System_Boolean => 1,
        SpecialType.System_Byte => 8,
        SpecialType.System_UInt16 => 16,
        SpecialType.System_UInt32 => 32,
        SpecialType.System_UInt64 => 64,
        _ => 0,
    };

    private static bool IsBitRange(AttributeData attribute) => attribute.AttributeClass?.ToDisplayString() == BitRangeAttribute;

    private static int Number(AttributeData attribute, string name) =>
        attribute.NamedArguments.FirstOrDefault(argument => argument.Key == name).Value.Value is int number ? number : 0;

    private static Location? LocationOf(AttributeData attribute, ISymbol owner) =>
        attribute.ApplicationSyntaxReference?.GetSyntax().GetLocation() ?? owner.Locations.FirstOrDefault();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Report(DiagnosticDescriptor descriptor, Location? location, params string[] arguments) =>
        _diagnostics.Add(DiagnosticInfo.Create(descriptor, location, arguments));
}
