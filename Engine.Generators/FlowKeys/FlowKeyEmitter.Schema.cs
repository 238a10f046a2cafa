using Engine.Generators.Infrastructure;

namespace Engine.Generators.FlowKeys;

internal static partial class FlowKeyEmitter
{
    /// <summary>The declaration as tables.</summary>
    public static string EmitSchema(FlowKeySpec spec)
    {
        SourceWriter writer = Begin(spec, "System.Collections.Immutable");
        writer.Open($"{spec.Accessibility} static partial class {spec.TypeName}Schema");
        writer.Write($"/// <summary>The netlink attributes of <see cref=\"{spec.TypeName}\"/>, in the order in which they are written.</summary>");
        writer.Write("public static ImmutableArray<KeyAttributeSchema> Attributes { get; } =");
        writer.Write("[");
        foreach (KeyAttributeSpec attribute in spec.Attributes)
        {
            writer.Write("    new KeyAttributeSchema");
            writer.Write("    {");
            writer.Write($"        Attribute = {attribute.EnumType}.{attribute.Member},");
            writer.Write($"        Name = \"{attribute.Name}\",");
            writer.Write($"        Size = {attribute.Size},");
            writer.Write($"        Layer = global::Engine.Annotations.KeyLayer.{attribute.Layer},");
            writer.Write($"        IsNested = {Flag(attribute.IsNested)},");
            writer.Write($"        IsArray = {Flag(attribute.IsArray)},");
            writer.Write($"        EtherTypes = [{string.Join(", ", attribute.EtherTypes.Select(static type => $"0x{type:x4}"))}],");
            writer.Write($"        IpProtocol = {attribute.IpProtocol},");
            writer.Write($"        IcmpTypes = [{string.Join(", ", attribute.IcmpTypes.Select(static type => Text(type)))}],");
            writer.Write($"        IsRequired = {Flag(attribute.IsRequired)},");
            if (attribute.Parts.Count == 0)
            {
                writer.Write("        Parts = [],");
            }
            else
            {
                writer.Write("        Parts =");
                writer.Write("        [");
                foreach (KeyPartSpec part in attribute.Parts)
                {
                    writer.Write($"            {Part(spec, part)},");
                }

                writer.Write("        ],");
            }

            writer.Write("    },");
        }

        writer.Write("];");
        writer.Close();
        return writer.ToString();
    }

    private static string Part(FlowKeySpec spec, KeyPartSpec part) =>
        $"new KeyPartSchema {{ Name = \"{part.Name}\", FieldName = \"{part.Field.Name}\", FieldOffset = {spec.TypeName}.Offsets.{part.Field.Name}, "
        + $"FieldSize = {part.Field.Size}, IsFieldNetworkOrder = {Flag(part.Field.Kind != FieldKind.Host)}, PayloadOffset = {part.Offset}, "
        + $"PayloadSize = {part.Size}, Format = global::Engine.Annotations.KeyFormat.{part.Format}, Shift = {part.Shift}, Bits = {part.Bits}, "
        + $"NestedAttribute = {Text(part.NestedNumber)}, Maximum = {Text(part.Maximum)} }}";
}
