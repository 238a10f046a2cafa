using System.Globalization;
using System.Security;
using Engine.Generators.Infrastructure;

namespace Engine.Generators.Netlink;

/// <summary>Writes reader, policy and writer of a set of netlink attributes.</summary>
internal static class NetlinkEmitter
{
    /// <summary>The reader with its policy.</summary>
    public static string EmitReader(NetlinkSpec spec)
    {
        SourceWriter writer = Begin(spec);
        writer.Write($"/// <summary>The attributes of a message that are <see cref=\"{spec.EnumName}\"/>, held against their policy.</summary>");
        writer.Write("/// <remarks>Unknown attributes are skipped; of one that comes twice, the last counts; what follows a malformed one is left out.</remarks>");
        writer.Open($"{spec.Accessibility} ref struct {spec.ReaderName}");
        foreach (NetlinkAttributeSpec attribute in spec.Attributes)
        {
            writer.Write($"private global::Engine.Netlink.NetlinkAttribute {Field(attribute)};");
        }

        writer.Blank();
        EmitPolicy(writer, spec);
        foreach (NetlinkAttributeSpec attribute in spec.Attributes)
        {
            EmitProperties(writer, attribute);
        }

        EmitTryParse(writer, spec);
        writer.Close();
        return writer.ToString();
    }

    /// <summary>The writer: one method for each attribute.</summary>
    public static string EmitWriter(NetlinkSpec spec)
    {
        const string Writer = "global::Engine.Netlink.NetlinkWriter";
        SourceWriter writer = Begin(spec);
        writer.Write($"/// <summary>Writes the attributes <see cref=\"{spec.EnumName}\"/>.</summary>");
        writer.Open($"{spec.Accessibility} static class {spec.WriterName}");
        foreach (NetlinkAttributeSpec attribute in spec.Attributes)
        {
            string number = Text(attribute.Number);
            writer.Blank();
            writer.Write($"/// <summary>{Escape(attribute.Summary)}</summary>");
            string prefix = spec.EnumName.Substring(0, spec.EnumName.Length - "Attribute".Length);
            string name = $"Put{prefix}{attribute.Name}";
            switch (attribute.Type)
            {
                case "Flag":
                    writer.Write($"public static void {name}(ref this {Writer} writer) => writer.Put({number}, 0);");
                    break;
                case "NulString":
                    writer.Write($"public static void {name}(ref this {Writer} writer, global::System.ReadOnlySpan<char> value) => writer.PutString({number}, value);");
                    break;
                case "Nested":
                    writer.Write("/// <returns>A token for <c>EndNested</c>.</returns>");
                    writer.Write($"public static int Begin{prefix}{attribute.Name}(ref this {Writer} writer) => writer.BeginNested({number});");
                    break;
                case "Bytes":
                    writer.Write($"public static void {name}(ref this {Writer} writer, scoped global::System.ReadOnlySpan<byte> value) => writer.Put({number}, value);");
                    break;
                default:
                    writer.Write($"public static void {name}(ref this {Writer} writer, {attribute.NumberType} value) => writer.Put<{attribute.NumberType}>({number}, in value);");
                    break;
            }
        }

        writer.Close();
        return writer.ToString();
    }

    private static void EmitPolicy(SourceWriter writer, NetlinkSpec spec)
    {
        writer.Write("/// <summary>The policy of each attribute, by number.</summary>");
        writer.Write("public static global::System.Collections.Immutable.ImmutableArray<global::Engine.Netlink.NetlinkPolicy> Policies { get; } =");
        writer.Write("[");
        writer.Write("    new(global::Engine.Annotations.NetlinkType.Bytes, IsUnchecked: true),");
        foreach (NetlinkAttributeSpec attribute in spec.Attributes)
        {
            writer.Write($"    {PolicyOf(attribute)}, // {attribute.Name}");
        }

        writer.Write("];");
    }

    private static string PolicyOf(NetlinkAttributeSpec attribute)
    {
        string text = $"new(global::Engine.Annotations.NetlinkType.{attribute.Type}";
        text += attribute.Length != 0 ? $", Length: {Text(attribute.Length)}" : string.Empty;
        text += attribute.HasRange ? $", HasRange: true, Minimum: {Text(attribute.Minimum)}, Maximum: {Text(attribute.Maximum)}" : string.Empty;
        return text + (attribute.IsUnchecked ? ", IsUnchecked: true)" : ")");
    }

    private static void EmitProperties(SourceWriter writer, NetlinkAttributeSpec attribute)
    {
        string field = Field(attribute);
        writer.Blank();
        if (attribute.Type == "Flag")
        {
            writer.Write($"/// <summary>Whether the flag is there: {Escape(attribute.Summary)}</summary>");
            writer.Write($"public readonly bool {attribute.Name} => {field}.Type != 0;");
            return;
        }

        writer.Write($"/// <summary>Whether <see cref=\"{attribute.Name}\"/> is there.</summary>");
        writer.Write($"public readonly bool Has{attribute.Name} => {field}.Type != 0;");
        writer.Blank();
        writer.Write($"/// <summary>{Escape(attribute.Summary)}</summary>");
        switch (attribute.Type)
        {
            case "NulString":
                writer.Write("/// <remarks>Without the NUL.</remarks>");
                writer.Write($"public readonly global::System.ReadOnlySpan<byte> {attribute.Name} => {field}.Text;");
                break;
            case "Nested" or "Bytes":
                writer.Write($"public readonly global::System.ReadOnlySpan<byte> {attribute.Name} => {field}.Payload;");
                break;
            default:
                writer.Write("/// <remarks>0 when it is not there.</remarks>");
                writer.Write($"public readonly {attribute.NumberType} {attribute.Name} => Has{attribute.Name} ? {field}.Read<{attribute.NumberType}>() : ({attribute.NumberType})0;");
                writer.Blank();
                writer.Write($"/// <summary>The whole payload of <see cref=\"{attribute.Name}\"/>, which may be longer than the number.</summary>");
                writer.Write($"public readonly global::System.ReadOnlySpan<byte> {attribute.Name}Bytes => {field}.Payload;");
                break;
        }
    }

    private static void EmitTryParse(SourceWriter writer, NetlinkSpec spec)
    {
        writer.Blank();
        writer.Write("/// <summary>Reads a run of attributes.</summary>");
        writer.Write("/// <param name=\"attributes\">The attributes.</param>");
        writer.Write("/// <param name=\"offset\">Where they start in the message, for the extended ack.</param>");
        writer.Write("/// <param name=\"ack\">Says what is wrong when refused.</param>");
        writer.Write("/// <param name=\"parsed\">What is there; incomplete when refused.</param>");
        writer.Write("/// <returns>The errno of the first attribute that its policy refuses.</returns>");
        writer.Open($"public static global::Engine.Primitives.Errno TryParse(global::System.ReadOnlySpan<byte> attributes, int offset, ref global::Engine.Netlink.ExtendedAck ack, out {spec.ReaderName} parsed)");
        writer.Write("parsed = default;");
        writer.Open("foreach (global::Engine.Netlink.NetlinkAttribute attribute in new global::Engine.Netlink.NetlinkAttributes(attributes, offset))");
        writer.Write("int type = attribute.Type;");
        writer.Open($"if (type is < 1 or > {Text(spec.Attributes.Count)})");
        writer.Write("continue;");
        writer.Close();
        writer.Blank();
        writer.Write("global::Engine.Primitives.Errno errno = Policies[type].Check(in attribute, ref ack);");
        writer.Open("if (errno != global::Engine.Primitives.Errno.None)");
        writer.Write("return errno;");
        writer.Close();
        writer.Blank();
        writer.Open("switch (type)");
        foreach (NetlinkAttributeSpec attribute in spec.Attributes)
        {
            writer.Write($"case {Text(attribute.Number)}:");
            writer.Write($"    parsed.{Field(attribute)} = attribute;");
            writer.Write("    break;");
        }

        writer.Close();
        writer.Close();
        writer.Blank();
        writer.Write("return global::Engine.Primitives.Errno.None;");
        writer.Close();
    }

    private static SourceWriter Begin(NetlinkSpec spec)
    {
        SourceWriter writer = new();
        writer.Write("// <auto-generated/>");
        writer.Write("#nullable enable");
        writer.Blank();
        writer.Write($"namespace {spec.Namespace};");
        writer.Blank();
        return writer;
    }

    private static string Field(NetlinkAttributeSpec attribute) => "_" + char.ToLowerInvariant(attribute.Name[0]) + attribute.Name.Substring(1);

    private static string Escape(string text) => SecurityElement.Escape(text.Replace("\r", string.Empty).Replace("\n", " "));

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
