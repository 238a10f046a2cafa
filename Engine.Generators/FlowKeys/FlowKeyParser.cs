using System.Globalization;
using Engine.Generators.Diagnostics;
using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Engine.Generators.FlowKeys;

/// <summary>Reads a struct marked <c>[FlowKey]</c> into a <see cref="FlowKeySpec"/>.</summary>
internal sealed class FlowKeyParser
{
    /// <summary>The attribute that marks a flow key.</summary>
    public const string MarkerAttribute = "Engine.Annotations.FlowKeyAttribute";

    private readonly INamedTypeSymbol _type;
    private readonly CancellationToken _cancellation;
    private readonly List<DiagnosticInfo> _diagnostics = [];
    private readonly List<SegmentSpec> _segments = [];
    private readonly List<FieldSpec> _fields = [];
    private readonly Dictionary<string, List<KeyPartSpec>> _parts = [];
    private string _segmentEnum = string.Empty;

    private FlowKeyParser(INamedTypeSymbol type, CancellationToken cancellation)
    {
        _type = type;
        _cancellation = cancellation;
    }

    /// <summary>Reads the struct. The spec is null when anything was reported.</summary>
    public static ParseResult<FlowKeySpec> Parse(GeneratorAttributeSyntaxContext context, CancellationToken cancellation)
    {
        FlowKeyParser parser = new((INamedTypeSymbol)context.TargetSymbol, cancellation);
        FlowKeySpec? spec = parser.Parse((TypeDeclarationSyntax)context.TargetNode, context.Attributes[0]);
        return new(parser._diagnostics.Count == 0 ? spec : null, parser._diagnostics.ToEquatableArray());
    }

    private FlowKeySpec? Parse(TypeDeclarationSyntax declaration, AttributeData marker)
    {
        if (!declaration.Modifiers.Any(SyntaxKind.PartialKeyword))
        {
            Report(DiagnosticDescriptors.FlowKeyNotPartial, declaration.Identifier.GetLocation(), _type.Name);
            return null;
        }

        if (marker.ConstructorArguments.FirstOrDefault().Value is not int size)
        {
            return null;
        }

        Dictionary<string, AttributeData> declared = DeclaredAttributes();
        if (!ParseFields(declared, out int total))
        {
            return null;
        }

        if (total != size)
        {
            Report(DiagnosticDescriptors.FlowKeyWrongSize, LocationOf(marker), _type.Name, Text(total), Text(size));
        }

        return new FlowKeySpec(
            _type.ContainingNamespace.ToDisplayString(),
            _type.Name,
            SyntaxFacts.GetText(_type.DeclaredAccessibility),
            size,
            _segmentEnum,
            _segments.ToEquatableArray(),
            _fields.ToEquatableArray(),
            declared.Values.Select(ParseKeyAttribute).ToEquatableArray());
    }

    private Dictionary<string, AttributeData> DeclaredAttributes()
    {
        Dictionary<string, AttributeData> declared = [];
        foreach (AttributeData attribute in AttributesNamed(_type, "KeyAttributeAttribute"))
        {
            string member = MemberName(attribute.ConstructorArguments[0]);
            if (declared.ContainsKey(member))
            {
                Report(DiagnosticDescriptors.DuplicateKeyAttribute, LocationOf(attribute), member);
            }
            else
            {
                declared.Add(member, attribute);
            }
        }

        return declared;
    }

    private bool ParseFields(Dictionary<string, AttributeData> declared, out int total)
    {
        int offset = 0;
        int segmentStart = 0;
        bool isMatched = true;
        AttributeData? segment = null;
        foreach (IFieldSymbol field in _type.GetMembers().OfType<IFieldSymbol>().Where(static field => !field.IsStatic && !field.IsConst))
        {
            _cancellation.ThrowIfCancellationRequested();
            int size = FieldLayout.SizeOf(field.Type);
            if (size == 0)
            {
                Report(DiagnosticDescriptors.FieldWithoutSize, field.Locations.FirstOrDefault(), field.Name);
                total = 0;
                return false;
            }

            AttributeData? starts = AttributesNamed(field, "SegmentAttribute").FirstOrDefault();
            bool ends = AttributesNamed(field, "NotMatchedAttribute").Any();
            if (segment is null && starts is null)
            {
                Report(DiagnosticDescriptors.MissingCore, field.Locations.FirstOrDefault(), field.Name);
                total = 0;
                return false;
            }

            if (segment is not null && isMatched && (starts is not null || ends))
            {
                EndSegment(segment, segmentStart, offset);
            }

            isMatched &= !ends;
            if (starts is not null)
            {
                segment = starts;
                segmentStart = offset;
            }

            FieldKind kind = FieldLayout.KindOf(field.Type, out string numberType, out string enumType);
            FieldSpec spec = new(
                field.Name,
                field.Type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
                offset,
                size,
                kind,
                numberType,
                enumType,
                field.DeclaredAccessibility == Accessibility.Private,
                isMatched ? MemberOf(segment!.ConstructorArguments[0]) : string.Empty);
            _fields.Add(spec);
            ParseParts(field, spec, declared);
            offset += size;
        }

        if (segment is null)
        {
            total = 0;
            return false;
        }

        if (isMatched)
        {
            EndSegment(segment, segmentStart, offset);
        }

        total = offset;
        return true;
    }

    private void EndSegment(AttributeData segment, int start, int end)
    {
        TypedConstant bit = segment.ConstructorArguments[0];
        string name = MemberOf(bit);
        long value = NumberOf(bit);
        _segmentEnum = bit.Type!.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
        int size = end - start;
        long expected = _segments.Count == 0 ? 0 : 1L << (_segments.Count - 1);
        if (value != expected)
        {
            Report(DiagnosticDescriptors.SegmentOutOfOrder, LocationOf(segment), name, Text(value), Text(expected));
        }

        if (size % 8 != 0)
        {
            Report(DiagnosticDescriptors.SegmentNotWholeWords, LocationOf(segment), name, Text(size), Text(8 - (size % 8)));
        }
        else if (_segments.Count == 0 && size != 64)
        {
            Report(DiagnosticDescriptors.CoreNotOneCacheLine, LocationOf(segment), name, Text(size));
        }

        _segments.Add(new SegmentSpec(name, value, start, size));
    }

    private void ParseParts(IFieldSymbol field, FieldSpec spec, Dictionary<string, AttributeData> declared)
    {
        foreach (AttributeData attribute in AttributesNamed(field, "KeyPartAttribute"))
        {
            string member = MemberName(attribute.ConstructorArguments[0]);
            if (!declared.TryGetValue(member, out AttributeData? declaration))
            {
                Report(DiagnosticDescriptors.UnknownKeyAttribute, LocationOf(attribute), field.Name, member);
                continue;
            }

            int size = Named(attribute, "Size", 0);
            int bits = Named(attribute, "Bits", 0);
            KeyPartSpec part = new(
                attribute.ConstructorArguments[1].Value as string ?? string.Empty,
                spec,
                Named(attribute, "Offset", 0),
                size == 0 ? spec.Size : size,
                Named(attribute, "IsNetworkOrder", false),
                NamedConstant(attribute, "Format") is { Kind: TypedConstantKind.Enum } format ? MemberOf(format) : "Decimal",
                Named(attribute, "Shift", 0),
                bits == 0 ? spec.Size * 8 : bits,
                NamedConstant(attribute, "Nested") is { Kind: TypedConstantKind.Enum } nested ? NumberOf(nested) : -1,
                Named(attribute, "Maximum", -1L),
                Named(attribute, "IsMaximumOfMask", false));
            if (part.Size != spec.Size && spec.Kind == FieldKind.Bytes)
            {
                Report(DiagnosticDescriptors.PartCannotChangeSize, LocationOf(attribute), part.Name, member, Text(part.Size), Text(spec.Size));
            }

            int payload = Named(declaration, "Size", 0);
            if (!Named(declaration, "IsNested", false) && !Named(declaration, "IsArray", false) && part.Offset + part.Size > payload)
            {
                Report(DiagnosticDescriptors.PartOutsidePayload, LocationOf(attribute), part.Name, member, Text(part.Offset + part.Size), Text(payload));
            }

            if (!_parts.TryGetValue(member, out List<KeyPartSpec>? parts))
            {
                _parts.Add(member, parts = []);
            }

            if (parts.FirstOrDefault(other => Overlap(other, part)) is { } overlapped && !Named(declaration, "IsNested", false))
            {
                Report(DiagnosticDescriptors.OverlappingParts, LocationOf(attribute), part.Name, member, overlapped.Name);
            }

            parts.Add(part);
        }
    }

    private static bool Overlap(KeyPartSpec a, KeyPartSpec b) =>
        a.Offset < b.Offset + b.Size && b.Offset < a.Offset + a.Size
        && (a.Field != b.Field || (a.Shift < b.Shift + b.Bits && b.Shift < a.Shift + a.Bits));

    private KeyAttributeSpec ParseKeyAttribute(AttributeData attribute)
    {
        TypedConstant number = attribute.ConstructorArguments[0];
        string member = MemberName(number);
        string? when = NamedConstant(attribute, "When")?.Value as string;
        if (when is not null && !_fields.Any(field => field.Name == when))
        {
            Report(DiagnosticDescriptors.UnknownConditionField, LocationOf(attribute), member, when, _type.Name);
        }

        EquatableArray<int> etherTypes = NamedArray(attribute, "EtherTypes");
        int ipProtocol = Named(attribute, "IpProtocol", 0);
        EquatableArray<int> icmpTypes = NamedArray(attribute, "IcmpTypes");
        string[] needed = [
            .. etherTypes.Count > 0 ? ["EtherType"] : Array.Empty<string>(),
            .. ipProtocol != 0 ? ["IpProtocol", "IpFragment"] : Array.Empty<string>(),
            .. icmpTypes.Count > 0 ? ["TransportSource"] : Array.Empty<string>()];
        foreach (string name in needed.Where(name => !_fields.Any(field => field.Name == name)))
        {
            Report(DiagnosticDescriptors.UnknownConditionField, LocationOf(attribute), member, name, _type.Name);
        }

        IEnumerable<KeyPartSpec> parts = _parts.TryGetValue(member, out List<KeyPartSpec>? found) ? found : [];
        return new KeyAttributeSpec(
            number.Type!.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
            MemberOf(number),
            NumberOf(number),
            attribute.ConstructorArguments[1].Value as string ?? string.Empty,
            Named(attribute, "Size", 0),
            NamedConstant(attribute, "Layer") is { Kind: TypedConstantKind.Enum } layer ? MemberOf(layer) : "Metadata",
            Named(attribute, "IsNested", false),
            Named(attribute, "IsArray", false),
            NamedConstant(attribute, "Codec") is { Kind: TypedConstantKind.Enum } codec && MemberOf(codec) == "HandWritten",
            when,
            etherTypes,
            ipProtocol,
            icmpTypes,
            Named(attribute, "IsRequired", false),
            Named(attribute, "IsMaskConditional", false),
            parts.OrderBy(static part => part.NestedNumber).ThenBy(static part => part.Offset).ToEquatableArray());
    }

    private static IEnumerable<AttributeData> AttributesNamed(ISymbol symbol, string name) => symbol.GetAttributes().Where(attribute =>
        attribute.AttributeClass is { } type && type.Name == name && type.ContainingNamespace.ToDisplayString() == "Engine.Annotations");

    private static TypedConstant? NamedConstant(AttributeData attribute, string name)
    {
        foreach (KeyValuePair<string, TypedConstant> argument in attribute.NamedArguments)
        {
            if (argument.Key == name)
            {
                return argument.Value;
            }
        }

        return null;
    }

    private static T Named<T>(AttributeData attribute, string name, T otherwise) => NamedConstant(attribute, name)?.Value is T value ? value : otherwise;

    private static EquatableArray<int> NamedArray(AttributeData attribute, string name) =>
        NamedConstant(attribute, name) is { Kind: TypedConstantKind.Array } array
            ? array.Values.Select(static value => value.Value is int number ? number : 0).ToEquatableArray()
            : EquatableArray<int>.Empty;

    // Enum.Member, or the number when it has no name.
    private static string MemberName(TypedConstant constant) => $"{constant.Type?.Name}.{MemberOf(constant)}";

    private static string MemberOf(TypedConstant constant)
    {
        if (constant.Type is INamedTypeSymbol type)
        {
            foreach (IFieldSymbol member in type.GetMembers().OfType<IFieldSymbol>())
            {
                if (member.HasConstantValue && Equals(member.ConstantValue, constant.Value))
                {
                    return member.Name;
                }
            }
        }

        return Text(constant.Value ?? 0);
    }

    private static long NumberOf(TypedConstant constant) => Convert.ToInt64(constant.Value ?? 0, CultureInfo.InvariantCulture);

    private static string Text(object value) => Convert.ToString(value, CultureInfo.InvariantCulture);

    private static Location? LocationOf(AttributeData attribute) => attribute.ApplicationSyntaxReference is { } reference
        ? reference.SyntaxTree.GetLocation(reference.Span)
        : null;

    private void Report(DiagnosticDescriptor descriptor, Location? location, params string[] arguments) =>
        _diagnostics.Add(DiagnosticInfo.Create(descriptor, location, arguments));
}
