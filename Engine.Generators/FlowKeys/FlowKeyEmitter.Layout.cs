using Engine.Generators.Infrastructure;

namespace Engine.Generators.FlowKeys;

internal static partial class FlowKeyEmitter
{
    /// <summary>Offsets of fields, segment ranges, and what works on whole segments.</summary>
    public static string EmitLayout(FlowKeySpec spec)
    {
        SourceWriter writer = Begin(spec, "System.Runtime.CompilerServices", "System.Runtime.InteropServices");
        writer.Open($"{spec.Accessibility} partial struct {spec.TypeName}");
        writer.Write($"""
            /// <summary>Bytes of all segments: what a mask can reach. The rest is carried along.</summary>
            public const int MatchedSize = {spec.MatchedSize};
            """);
        foreach (SegmentSpec segment in spec.Segments)
        {
            string name = SegmentName(segment);
            writer.Blank().Write($"""
                /// <summary>Offset of the segment {name}, a multiple of 8.</summary>
                public const int {name}SegmentOffset = {segment.Offset};

                /// <summary>Bytes of the segment {name}, a multiple of 8.</summary>
                public const int {name}SegmentSize = {segment.Size};
                """);
        }

        writer.Blank();
        EmitClearSegments(writer, spec);
        writer.Blank();
        EmitFindSegments(writer, spec);
        writer.Blank();
        EmitOffsets(writer, spec);
        writer.Close();
        return writer.ToString();
    }

    private static string SegmentName(SegmentSpec segment) => segment.Value == 0 ? "Core" : segment.Name;

    private static IEnumerable<SegmentSpec> Tails(FlowKeySpec spec) => spec.Segments.Where(static segment => segment.Value != 0);

    private static void EmitClearSegments(SourceWriter writer, FlowKeySpec spec)
    {
        writer.Write("""
            /// <summary>Zeroes these segments and takes them out of <see cref="Segments"/>.</summary>
            /// <remarks>Those not in <see cref="Segments"/> are zero already and not touched.</remarks>
            """);
        writer.Open($"public void ClearSegments({spec.SegmentEnum} segments)");
        writer.Write("segments &= Segments;");
        writer.Open($"if (segments == 0)").Write("return;").Close().Blank();
        writer.Write($"ref byte start = ref Unsafe.As<{spec.TypeName}, byte>(ref this);");
        foreach (SegmentSpec segment in Tails(spec))
        {
            writer.Open($"if ((segments & {spec.SegmentEnum}.{segment.Name}) != 0)");
            writer.Write($"Unsafe.InitBlockUnaligned(ref Unsafe.Add(ref start, {segment.Name}SegmentOffset), 0, {segment.Name}SegmentSize);");
            writer.Close().Blank();
        }

        writer.Write("Segments &= ~segments;");
        writer.Close();
    }

    private static void EmitFindSegments(SourceWriter writer, FlowKeySpec spec)
    {
        writer.Write("""
            /// <summary>The segments beyond the core that hold a nonzero byte, found by looking.</summary>
            """);
        writer.Open($"public readonly {spec.SegmentEnum} FindSegments()");
        writer.Write($"ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<{spec.TypeName}>(in this));");
        writer.Write($"{spec.SegmentEnum} found = 0;");
        foreach (SegmentSpec segment in Tails(spec))
        {
            writer.Open($"if (bytes.Slice({segment.Name}SegmentOffset, {segment.Name}SegmentSize).ContainsAnyExcept((byte)0))");
            writer.Write($"found |= {spec.SegmentEnum}.{segment.Name};");
            writer.Close().Blank();
        }

        writer.Write("return found;");
        writer.Close();
    }

    private static void EmitOffsets(SourceWriter writer, FlowKeySpec spec)
    {
        writer.Write("/// <summary>Byte offset of each field.</summary>");
        writer.Open("public static class Offsets");
        foreach (FieldSpec field in spec.Fields.Where(static field => !field.IsPadding))
        {
            writer.Blank();
            writer.Write($"/// <summary>Of <see cref=\"{spec.TypeName}.{field.Name}\"/>, {field.Size} {(field.Size == 1 ? "byte" : "bytes")}.</summary>");
            writer.Write($"public const int {field.Name} = {field.Offset};");
        }

        writer.Close();
    }
}
