using System.Xml.Linq;
using Engine.Generators.Diagnostics;
using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Engine.Generators.Netlink;

/// <summary>Reads an enum marked <c>[NetlinkAttributes]</c> into a <see cref="NetlinkSpec"/>.</summary>
internal static class NetlinkParser
{
    /// <summary>The attribute that marks a set.</summary>
    public const string MarkerAttribute = "Engine.Annotations.NetlinkAttributesAttribute";

    private const string PayloadAttribute = "NetlinkPayloadAttribute";
    private const string NameEnd = "Attribute";

    /// <summary>Reads the enum. The spec is null when anything was reported.</summary>
    public static ParseResult<NetlinkSpec> Parse(GeneratorAttributeSyntaxContext context, CancellationToken cancellation)
    {
        INamedTypeSymbol type = (INamedTypeSymbol)context.TargetSymbol;
        List<DiagnosticInfo> diagnostics = [];
        if (!type.Name.EndsWith(NameEnd, StringComparison.Ordinal))
        {
            diagnostics.Add(DiagnosticInfo.Create(DiagnosticDescriptors.NetlinkSetName, type.Locations.FirstOrDefault(), type.Name));
        }

        List<NetlinkAttributeSpec> attributes = [];
        long next = 0;
        foreach (IFieldSymbol member in type.GetMembers().OfType<IFieldSymbol>())
        {
            cancellation.ThrowIfCancellationRequested();
            long number = Convert.ToInt64(member.ConstantValue, System.Globalization.CultureInfo.InvariantCulture);
            if (number != next++)
            {
                diagnostics.Add(DiagnosticInfo.Create(DiagnosticDescriptors.NetlinkNumberGap, member.Locations.FirstOrDefault(), member.Name, type.Name));
                break;
            }

            if (number != 0 && ParseMember(member, number, diagnostics, cancellation) is { } attribute)
            {
                attributes.Add(attribute);
            }
        }

        NetlinkSpec? spec = diagnostics.Count != 0 ? null : new NetlinkSpec(
            type.ContainingNamespace.ToDisplayString(),
            type.Name,
            SyntaxFacts.GetText(type.DeclaredAccessibility),
            attributes.ToEquatableArray());
        return new(spec, diagnostics.ToEquatableArray());
    }

    private static NetlinkAttributeSpec? ParseMember(IFieldSymbol member, long number, List<DiagnosticInfo> diagnostics, CancellationToken cancellation)
    {
        AttributeData? payload = member.GetAttributes().FirstOrDefault(static data => data.AttributeClass?.Name == PayloadAttribute);
        if (payload is null)
        {
            diagnostics.Add(DiagnosticInfo.Create(DiagnosticDescriptors.NetlinkWithoutPayload, member.Locations.FirstOrDefault(), member.Name));
            return null;
        }

        if (payload.ConstructorArguments.FirstOrDefault() is not { Kind: TypedConstantKind.Enum } type)
        {
            return null;
        }

        string typeName = type.Type!.GetMembers().OfType<IFieldSymbol>().FirstOrDefault(field => Equals(field.ConstantValue, type.Value))?.Name ?? string.Empty;
        NetlinkAttributeSpec attribute = new(
            member.Name,
            number,
            Summary(member, cancellation),
            typeName,
            Named(payload, "Length", 0),
            Named(payload, "HasRange", false),
            Named(payload, "Minimum", 0L),
            Named(payload, "Maximum", 0L),
            Named(payload, "IsUnchecked", false));

        if (attribute.HasRange && (attribute.NumberType is null || attribute.Minimum > attribute.Maximum))
        {
            diagnostics.Add(DiagnosticInfo.Create(DiagnosticDescriptors.NetlinkBadRange, member.Locations.FirstOrDefault(), member.Name));
        }

        if (attribute.Length != 0 && attribute.Type is not ("Bytes" or "NulString"))
        {
            diagnostics.Add(DiagnosticInfo.Create(DiagnosticDescriptors.NetlinkBadLength, member.Locations.FirstOrDefault(), member.Name, attribute.Type));
        }

        return attribute;
    }

    private static T Named<T>(AttributeData data, string name, T otherwise)
    {
        foreach (KeyValuePair<string, TypedConstant> argument in data.NamedArguments)
        {
            if (argument.Key == name && argument.Value.Value is T value)
            {
                return value;
            }
        }

        return otherwise;
    }

    // The text of <summary>, or nothing where there is no doc comment or it is not XML.
    private static string Summary(IFieldSymbol member, CancellationToken cancellation)
    {
        string? xml = member.GetDocumentationCommentXml(cancellationToken: cancellation);
        if (string.IsNullOrEmpty(xml))
        {
            return member.Name + ".";
        }

        try
        {
            return XElement.Parse(xml).Element("summary")?.Value.Trim() ?? member.Name + ".";
        }
        catch (System.Xml.XmlException)
        {
            return member.Name + ".";
        }
    }
}
