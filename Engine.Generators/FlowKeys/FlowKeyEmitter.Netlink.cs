using Engine.Generators.Infrastructure;

namespace Engine.Generators.FlowKeys;

internal static partial class FlowKeyEmitter
{
    /// <summary>The netlink codec: straight-line writers and parsers, one method for each attribute, and the order in which they run.</summary>
    public static string EmitNetlink(FlowKeySpec spec)
    {
        SourceWriter writer = Begin(
            spec, "System.Buffers.Binary", "System.Runtime.InteropServices", "Engine.Netlink", "Engine.Primitives");
        writer.Open($"{spec.Accessibility} partial struct {spec.TypeName}");
        EmitLengths(writer, spec);
        EmitNames(writer, spec);
        foreach (string layer in new[] { "Metadata", "Headers" })
        {
            EmitWriteSequence(writer, spec, layer);
            EmitParseSequence(writer, spec, layer);
        }

        EmitValidation(writer, spec);
        EmitParseAttribute(writer, spec);
        foreach (KeyAttributeSpec attribute in spec.Attributes.Where(static attribute => !attribute.IsHandWritten))
        {
            EmitWrite(writer, spec, attribute);
            EmitParse(writer, spec, attribute);
        }

        writer.Close();
        return writer.ToString();
    }

    private static void EmitLengths(SourceWriter writer, FlowKeySpec spec)
    {
        long maximum = spec.Attributes.Count == 0 ? 0 : spec.Attributes.Max(static attribute => attribute.Number);
        writer.Write($"""
            /// <summary>Largest number of a netlink attribute of the key.</summary>
            internal const int MaximumAttribute = {maximum};

            /// <summary>Payload bytes of each attribute by number: -1 nested, -2 array, -3 refused. Number 0 is known and empty.</summary>
            """);
        IEnumerable<string> lengths = Enumerable.Range(0, (int)maximum + 1).Select(number =>
            spec.Attributes.FirstOrDefault(attribute => attribute.Number == number) switch
            {
                null => number == 0 ? "0" : "-3",
                { IsNested: true } => "-1",
                { IsArray: true } => "-2",
                { Size: int size } => Text(size),
            });
        writer.Write($"private static ReadOnlySpan<sbyte> PayloadLengths => [{string.Join(", ", lengths)}];");
    }

    private static void EmitNames(SourceWriter writer, FlowKeySpec spec)
    {
        writer.Blank().Write("/// <summary>Name of an attribute in ovs-dpctl text, for messages.</summary>");
        writer.Write("internal static string AttributeName(int attribute) => attribute switch");
        writer.Open();
        foreach (KeyAttributeSpec attribute in spec.Attributes)
        {
            writer.Write($"{Text(attribute.Number)} => \"{attribute.Name}\",");
        }

        writer.Write("_ => \"unknown attribute\",");
        writer.Close(";");
    }

    private static void EmitWriteSequence(SourceWriter writer, FlowKeySpec spec, string layer)
    {
        KeyAttributeSpec[] attributes = [.. spec.Attributes.Where(attribute => attribute.Layer == layer)];
        writer.Blank().Write($"""
            /// <summary>Writes the {layer.ToLowerInvariant()} that the key has, with the bits of the output: the key itself or its mask.</summary>
            """);
        writer.Open($"private static void Write{layer}Attributes(in {spec.TypeName} key, in {spec.TypeName} output, bool isMask, ref NetlinkWriter writer)");
        EmitConditionLocals(writer, attributes);
        foreach (KeyAttributeSpec attribute in attributes)
        {
            string call = attribute.IsHandWritten
                ? $"Write{attribute.Member}(in key, in output, isMask, ref writer);"
                : $"Write{attribute.Member}(in output, ref writer);";

            // Metadata written by hand decides for itself: a mask may have it when the key has not.
            string condition = attribute is { IsHandWritten: true, Layer: "Metadata" } ? string.Empty : Condition(spec, attribute, withPresence: true);
            EmitGuarded(writer, condition, call);
        }

        writer.Close();
    }

    private static void EmitParseSequence(SourceWriter writer, FlowKeySpec spec, string layer)
    {
        writer.Blank().Write($"/// <summary>Takes the attributes of the {layer.ToLowerInvariant()} out of the set and into the target, a key or its mask.</summary>");
        writer.Open(
            $"private static Refusal Parse{layer}Attributes(ref KeyAttributeSet attributes, bool isMask, in {spec.TypeName} key, ref {spec.TypeName} target)");
        writer.Write("ReadOnlySpan<byte> payload;").Write("int offset;").Write("Refusal refusal;");
        foreach (KeyAttributeSpec attribute in spec.Attributes.Where(attribute => attribute.Layer == layer))
        {
            writer.Blank().Write($"if (attributes.TryTake({attribute.EnumType}.{attribute.Member}, out payload, out offset)");
            writer.Open($"    && (refusal = {ParseCall(attribute, "in key, ref target")}).IsRefused)");
            writer.Write("return refusal;").Close();
        }

        writer.Blank().Write("return Refusal.None;").Close();
    }

    private static string ParseCall(KeyAttributeSpec attribute, string keyAndTarget) => attribute.IsHandWritten
        ? $"Parse{attribute.Member}(payload, offset, isMask, {keyAndTarget})"
        : $"Parse{attribute.Member}(payload, offset, isMask, ref target)";

    private static void EmitValidation(SourceWriter writer, FlowKeySpec spec)
    {
        KeyAttributeSpec[] validated = [.. spec.Attributes.Where(static attribute => attribute.IsRequired || attribute.IsMaskConditional)];
        ulong conditional = validated.Where(static attribute => attribute.IsMaskConditional).Aggregate(0UL, static (bits, attribute) => bits | (1UL << (int)attribute.Number));
        writer.Blank().Write("""
            /// <summary>Which attributes a key with these headers must have, and which its mask may have.</summary>
            /// <remarks>A mask may have those of a header only when it matches exactly what tells that the header is there.</remarks>
            """);
        writer.Open($"private static void FindExpected(in {spec.TypeName} key, in {spec.TypeName} mask, ref ulong expected, ref ulong allowed)");
        EmitConditionLocals(writer, validated);
        writer.Write($"allowed &= ~0x{conditional:x}UL;").Blank();
        foreach (KeyAttributeSpec attribute in validated)
        {
            EmitBlock(writer, Condition(spec, attribute, withPresence: false), () =>
            {
                if (attribute.IsRequired)
                {
                    writer.Write($"expected |= 1UL << (int){attribute.EnumType}.{attribute.Member};");
                }

                if (attribute.IsMaskConditional)
                {
                    EmitGuarded(writer, MaskCondition(attribute), $"allowed |= 1UL << (int){attribute.EnumType}.{attribute.Member};");
                }
            });
        }

        writer.Close();
    }

    private static void EmitParseAttribute(SourceWriter writer, FlowKeySpec spec)
    {
        writer.Blank().Write("/// <summary>Reads one attribute by number; its length has been checked.</summary>");
        writer.Write(
            $"private static Refusal ParseAttribute({EnumOf(spec)} attribute, ReadOnlySpan<byte> payload, int offset, bool isMask, ref {spec.TypeName} target) => attribute switch");
        writer.Open();
        foreach (KeyAttributeSpec attribute in spec.Attributes.Where(static attribute => attribute.Layer != "Link" || !attribute.IsHandWritten))
        {
            writer.Write($"{attribute.EnumType}.{attribute.Member} => {ParseCall(attribute, "in target, ref target")},");
        }

        writer.Write("_ => Refusal.Invalid(\"Attribute cannot be parsed alone\", offset),");
        writer.Close(";");
    }

    private static string EnumOf(FlowKeySpec spec) => spec.Attributes.Count == 0 ? "int" : spec.Attributes[0].EnumType;

    private static void EmitWrite(SourceWriter writer, FlowKeySpec spec, KeyAttributeSpec attribute)
    {
        writer.Blank().Write($"/// <summary>Writes {attribute.Name}{PartNames(attribute)}, {attribute.Size} bytes.</summary>");
        writer.Open($"private static void Write{attribute.Member}(in {spec.TypeName} output, ref NetlinkWriter writer)");
        writer.Write($"Span<byte> payload = writer.Put((int){attribute.EnumType}.{attribute.Member}, {attribute.Size});");
        writer.Open("if (payload.IsEmpty)").Write("return;").Close().Blank();
        KeyPartSpec[] parts = [.. attribute.Parts.GroupBy(static part => (part.Field.Name, part.Offset)).Select(static group => group.First())];
        if (parts.Sum(static part => part.Size) < attribute.Size)
        {
            writer.Write("// Not every byte carries a field.").Write("payload.Clear();");
        }

        foreach (KeyPartSpec part in parts)
        {
            writer.Write(WritePart(part));
        }

        writer.Close();
    }

    private static string PartNames(KeyAttributeSpec attribute)
    {
        string names = string.Join(", ", attribute.Parts.Select(static part => part.Name).Where(static name => name.Length > 0).Distinct());
        return names.Length == 0 ? string.Empty : $" ({names})";
    }

    private static string WritePart(KeyPartSpec part)
    {
        FieldSpec field = part.Field;
        string destination = part.Offset == 0 ? "payload" : $"payload[{part.Offset}..]";
        if (part.Size == field.Size)
        {
            return part.Size == 1 && field.NumberType == "byte" && field.EnumType.Length == 0
                ? $"payload[{part.Offset}] = output.{field.Name};"
                : $"MemoryMarshal.Write({destination}, in output.{field.Name});";
        }

        string value = $"output.{field.Name}{(field.Kind == FieldKind.Network ? ".Value" : string.Empty)}";
        return part.Size switch
        {
            1 => $"payload[{part.Offset}] = (byte){value};",
            _ when part.IsNetworkOrder => $"BinaryPrimitives.WriteUInt{part.Size * 8}BigEndian({destination}, ({Unsigned(part.Size)}){value});",
            _ => $"MemoryMarshal.Write({destination}, ({Unsigned(part.Size)}){value});",
        };
    }

    private static void EmitParse(SourceWriter writer, FlowKeySpec spec, KeyAttributeSpec attribute)
    {
        writer.Blank().Write($"/// <summary>Reads {attribute.Name}{PartNames(attribute)} into the fields that carry it.</summary>");
        writer.Open($"private static Refusal Parse{attribute.Member}(ReadOnlySpan<byte> payload, int offset, bool isMask, ref {spec.TypeName} target)");
        foreach (KeyPartSpec part in attribute.Parts.Where(static part => part.Maximum >= 0))
        {
            string name = part.Name.Length == 0 ? attribute.Name : $"{attribute.Name} {part.Name}";
            writer.Open($"if ({(part.IsMaximumOfMask ? string.Empty : "!isMask && ")}{ReadNumber(part)} > 0x{part.Maximum:x})");
            writer.Write($"return Refusal.Invalid(\"{name} is out of range: at most 0x{part.Maximum:x}\", offset + {part.Offset});");
            writer.Close().Blank();
        }

        foreach (KeyPartSpec part in attribute.Parts.GroupBy(static part => (part.Field.Name, part.Offset)).Select(static group => group.First()))
        {
            writer.Write($"target.{part.Field.Name} = {ReadPart(part)};");
        }

        writer.Write("return Refusal.None;").Close();
    }

    private static string ReadPart(KeyPartSpec part)
    {
        FieldSpec field = part.Field;
        if (part.Size == field.Size)
        {
            return part.Size == 1 && field.NumberType == "byte" && field.EnumType.Length == 0 ? $"payload[{part.Offset}]" : $"MemoryMarshal.Read<{field.TypeName}>({Source(part)})";
        }

        string number = ReadNumber(part);
        return field.Kind == FieldKind.Network ? $"new {field.TypeName}({number})" : $"({(field.EnumType.Length > 0 ? field.EnumType : field.NumberType)}){number}";
    }

    // The host-order number in the payload.
    private static string ReadNumber(KeyPartSpec part)
    {
        bool isNetworkOrder = part.Size == part.Field.Size ? part.Field.Kind == FieldKind.Network : part.IsNetworkOrder;
        return part.Size switch
        {
            1 => $"payload[{part.Offset}]",
            _ when isNetworkOrder => $"BinaryPrimitives.ReadUInt{part.Size * 8}BigEndian({Source(part)})",
            _ => $"MemoryMarshal.Read<{Unsigned(part.Size)}>({Source(part)})",
        };
    }

    private static string Source(KeyPartSpec part) => part.Offset == 0 ? "payload" : $"payload[{part.Offset}..]";

    private static string Unsigned(int size) => size switch
    {
        1 => "byte",
        2 => "ushort",
        4 => "uint",
        _ => "ulong",
    };

    private static void EmitConditionLocals(SourceWriter writer, IReadOnlyCollection<KeyAttributeSpec> attributes)
    {
        if (attributes.Any(static attribute => attribute.EtherTypes.Count > 0))
        {
            writer.Write("int etherType = key.EtherType.Value;");
        }

        if (attributes.Any(static attribute => attribute.IpProtocol != 0))
        {
            writer.Blank().Write("// Later fragments have no transport header.");
            writer.Write("int protocol = key.IpFragment == 2 ? -1 : key.IpProtocol;");
        }
    }

    private static string Condition(FlowKeySpec spec, KeyAttributeSpec attribute, bool withPresence)
    {
        List<string> terms = [];
        if (withPresence && attribute.When is { } when)
        {
            FieldSpec field = spec.Fields.First(field => field.Name == when);
            terms.Add(field.Kind == FieldKind.Network ? $"key.{when}.Raw != 0" : $"key.{when} != 0");
        }

        if (attribute.EtherTypes.Count > 0)
        {
            terms.Add($"etherType is {string.Join(" or ", attribute.EtherTypes.Select(static type => $"0x{type:x4}"))}");
        }

        if (attribute.IpProtocol != 0)
        {
            terms.Add($"protocol == {attribute.IpProtocol}");
        }

        if (attribute.IcmpTypes.Count > 0)
        {
            terms.Add($"key.TransportSource.Value is {string.Join(" or ", attribute.IcmpTypes.Select(static type => Text(type)))}");
        }

        return string.Join(" && ", terms);
    }

    // Whether the mask matches exactly the innermost field that the attribute depends on.
    private static string MaskCondition(KeyAttributeSpec attribute)
    {
        if (attribute.IcmpTypes.Count > 0)
        {
            return "mask.TransportSource.Value == 0xff";
        }

        return attribute.IpProtocol != 0 ? "mask.IpProtocol == 0xff" : attribute.EtherTypes.Count > 0 ? "mask.EtherType.Value == 0xffff" : string.Empty;
    }

    private static void EmitGuarded(SourceWriter writer, string condition, string statement) => EmitBlock(writer, condition, () => writer.Write(statement));

    private static void EmitBlock(SourceWriter writer, string condition, Action emit)
    {
        if (condition.Length == 0)
        {
            emit();
            return;
        }

        writer.Blank().Open($"if ({condition})");
        emit();
        writer.Close().Blank();
    }
}
