using Engine.Generators.Infrastructure;

namespace Engine.Generators.FlowKeys;

internal static partial class FlowKeyEmitter
{
    private static readonly int[] s_widths = [512, 256, 128];

    /// <summary>Masked hash, compare and copy, once for each vector width and once in scalar words.</summary>
    public static string EmitMatch(FlowKeySpec spec)
    {
        SourceWriter writer = Begin(
            spec, "System.Runtime.CompilerServices", "System.Runtime.InteropServices", "System.Runtime.Intrinsics", "Engine.Primitives");
        writer.Open($"{spec.Accessibility} partial struct {spec.TypeName}");
        EmitEntryPoints(writer, spec);
        EmitExactEquals(writer, spec);
        foreach (int width in s_widths)
        {
            EmitHash(writer, spec, $"Vector{width}", width);
            EmitEquals(writer, spec, $"Vector{width}", width);
            EmitCopy(writer, spec, $"Vector{width}", width);
        }

        EmitHash(writer, spec, "Scalar", 64);
        EmitEquals(writer, spec, "Scalar", 64);
        EmitCopy(writer, spec, "Scalar", 64);
        writer.Blank().Write("/// <summary>The first byte of a key. In bounds: all offsets here are inside the segments, which the struct holds.</summary>");
        writer.Write($"private static ref readonly byte Bytes(ref readonly {spec.TypeName} key) => ref Unsafe.As<{spec.TypeName}, byte>(ref Unsafe.AsRef(in key));");
        writer.Close();
        return writer.ToString();
    }

    private static void EmitEntryPoints(SourceWriter writer, FlowKeySpec spec)
    {
        string key = spec.TypeName;
        writer.Blank().Write("""
            /// <summary>Hash of a key under a mask: the same for all keys that the mask makes equal, and keyed by a secret of this process.</summary>
            """);
        writer.Write("[MethodImpl(MethodImplOptions.AggressiveInlining)]");
        writer.Open($"public static ulong MaskedHash(in {key} key, in {key} mask)");
        writer.Write("""
            ulong sum = MaskedSumCore(in key, in mask);
            if (mask.Segments != 0)
            {
                sum += MaskedSumTails(in key, in mask);
            }

            return HashSecret.Finish(sum);
            """);
        writer.Close();
        writer.Blank().Write($"""
            /// <summary><see cref="MaskedHash"/> for a mask that reaches the core only: the same value with fewer instructions.</summary>
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public static ulong MaskedHashCore(in {key} key, in {key} mask) => HashSecret.Finish(MaskedSumCore(in key, in mask));

            /// <summary>Hash of the whole core: <see cref="MaskedHashCore"/> under a mask of ones.</summary>
            """);
        writer.Write("[MethodImpl(MethodImplOptions.AggressiveInlining)]");
        writer.Open($"public static ulong HashCore(in {key} key)");
        writer.Write("ref readonly byte start = ref Bytes(in key);");
        EmitDispatch(writer, width => $"return HashSecret.Finish({CoreTerms(spec, width, "start")});");
        writer.Close();

        writer.Blank().Write("/// <summary>Whether a key under a mask is the masked key.</summary>");
        writer.Write("[MethodImpl(MethodImplOptions.AggressiveInlining)]");
        writer.Write($"public static bool MaskedEquals(in {key} key, in {key} mask, in {key} maskedKey) =>");
        writer.Write("    MaskedEqualsCore(in key, in mask, in maskedKey) && (mask.Segments == 0 || MaskedEqualsTails(in key, in mask, in maskedKey));");
        writer.Blank().Write("/// <summary><see cref=\"MaskedEquals\"/> for a mask that reaches the core only.</summary>");
        writer.Write("[MethodImpl(MethodImplOptions.AggressiveInlining)]");
        writer.Open($"public static bool MaskedEqualsCore(in {key} key, in {key} mask, in {key} maskedKey)");
        EmitDispatch(writer, width => $"return MaskedEqualsCore{PathName(width)}(in Bytes(in key), in Bytes(in mask), in Bytes(in maskedKey));");
        writer.Close();

        writer.Blank().Write("""
            /// <summary>Writes a key under a mask. Segments that the mask does not reach are zero.</summary>
            """);
        writer.Open($"public static void MaskedCopy(in {key} key, in {key} mask, out {key} result)");
        EmitDispatch(writer, width => $"MaskedCopy{PathName(width)}(in key, in mask, out result);");
        writer.Close();

        writer.Blank().Write("/// <summary>Hash terms of the core, added up, with the widest vectors there are.</summary>");
        writer.Write("[MethodImpl(MethodImplOptions.AggressiveInlining)]");
        writer.Open($"private static ulong MaskedSumCore(in {key} key, in {key} mask)");
        EmitDispatch(writer, width => $"return MaskedSumCore{PathName(width)}(in Bytes(in key), in Bytes(in mask));");
        writer.Close();

        writer.Blank().Write("/// <summary>Hash terms of the segments that the mask reaches. Out of line: most masks reach the core only, and their callers stay small.</summary>");
        writer.Write("[MethodImpl(MethodImplOptions.NoInlining)]");
        writer.Open($"private static ulong MaskedSumTails(in {key} key, in {key} mask)");
        EmitDispatch(writer, width => $"return MaskedSumTails{PathName(width)}(in Bytes(in key), in Bytes(in mask), mask.Segments);");
        writer.Close();
        writer.Blank().Write("/// <summary>Whether no significant bit of the segments that the mask reaches differs. Out of line, as <see cref=\"MaskedSumTails\"/>.</summary>");
        writer.Write("[MethodImpl(MethodImplOptions.NoInlining)]");
        writer.Open($"private static bool MaskedEqualsTails(in {key} key, in {key} mask, in {key} maskedKey)");
        EmitDispatch(writer, width => $"return MaskedEqualsTails{PathName(width)}(in Bytes(in key), in Bytes(in mask), in Bytes(in maskedKey), mask.Segments);");
        writer.Close();
    }

    private static void EmitExactEquals(SourceWriter writer, FlowKeySpec spec)
    {
        string key = spec.TypeName;
        writer.Blank().Write("/// <summary>Whether two keys are equal in every segment.</summary>");
        writer.Open($"public static bool ExactEquals(in {key} left, in {key} right)");
        writer.Write($"""
            ReadOnlySpan<byte> a = MemoryMarshal.AsBytes(new ReadOnlySpan<{key}>(in left));
            ReadOnlySpan<byte> b = MemoryMarshal.AsBytes(new ReadOnlySpan<{key}>(in right));
            {spec.SegmentEnum} segments = left.Segments | right.Segments;
            return a[..CoreSegmentSize].SequenceEqual(b[..CoreSegmentSize])
            """);
        string[] tails = [.. Tails(spec).Select(segment =>
            $"    && ((segments & {spec.SegmentEnum}.{segment.Name}) == 0"
            + $" || a.Slice({segment.Name}SegmentOffset, {segment.Name}SegmentSize).SequenceEqual(b.Slice({segment.Name}SegmentOffset, {segment.Name}SegmentSize)))")];
        for (int i = 0; i < tails.Length; i++)
        {
            writer.Write(tails[i] + (i == tails.Length - 1 ? ";" : string.Empty));
        }

        writer.Close();
    }

    // The JIT folds IsHardwareAccelerated, so one branch remains.
    private static void EmitDispatch(SourceWriter writer, Func<int, string> call)
    {
        for (int i = 0; i < s_widths.Length; i++)
        {
            writer.Open($"{(i == 0 ? "if" : "else if")} (Vector{s_widths[i]}.IsHardwareAccelerated)").Write(call(s_widths[i])).Close();
        }

        writer.Open("else").Write(call(64)).Close();
    }

    private static void EmitHash(SourceWriter writer, FlowKeySpec spec, string path, int width)
    {
        string key = spec.TypeName;
        writer.Blank().Write($"/// <summary><see cref=\"MaskedHash\"/>, {PathDescription(width)}.</summary>");
        writer.Open($"internal static ulong MaskedHash{path}(in {key} key, in {key} mask)");
        writer.Write($"""
            ref readonly byte k = ref Bytes(in key);
            ref readonly byte m = ref Bytes(in mask);
            return HashSecret.Finish(MaskedSumCore{path}(in k, in m) + MaskedSumTails{path}(in k, in m, mask.Segments));
            """);
        writer.Close();
        writer.Blank().Write("/// <summary>Hash terms of the core, added up.</summary>");
        writer.Write("[MethodImpl(MethodImplOptions.AggressiveInlining)]");
        writer.Write($"private static ulong MaskedSumCore{path}(ref readonly byte key, ref readonly byte mask) =>");
        writer.Write($"    {CoreTerms(spec, width, "key", "mask")};");
        writer.Blank().Write("/// <summary>Hash terms of these segments, added up.</summary>");
        writer.Open($"private static ulong MaskedSumTails{path}(ref readonly byte key, ref readonly byte mask, {spec.SegmentEnum} segments)");
        writer.Write("ulong sum = 0;");
        foreach (SegmentSpec segment in Tails(spec))
        {
            writer.Open($"if ((segments & {spec.SegmentEnum}.{segment.Name}) != 0)");
            writer.Write($"// {segment.Size} bytes at {segment.Offset}.");
            writer.Write($"sum += {Terms(segment, width, "key", "mask")};");
            writer.Close().Blank();
        }

        writer.Write("return sum;").Close();
    }

    private static void EmitEquals(SourceWriter writer, FlowKeySpec spec, string path, int width)
    {
        string key = spec.TypeName;
        writer.Blank().Write($"/// <summary><see cref=\"MaskedEquals\"/>, {PathDescription(width)}.</summary>");
        writer.Open($"internal static bool MaskedEquals{path}(in {key} key, in {key} mask, in {key} maskedKey)");
        writer.Write($"""
            ref readonly byte k = ref Bytes(in key);
            ref readonly byte m = ref Bytes(in mask);
            ref readonly byte f = ref Bytes(in maskedKey);
            return MaskedEqualsCore{path}(in k, in m, in f) && MaskedEqualsTails{path}(in k, in m, in f, mask.Segments);
            """);
        writer.Close();
        writer.Blank().Write("/// <summary>Whether no significant bit of the core differs.</summary>");
        writer.Write("[MethodImpl(MethodImplOptions.AggressiveInlining)]");
        writer.Write($"private static bool MaskedEqualsCore{path}(ref readonly byte key, ref readonly byte mask, ref readonly byte maskedKey) =>");
        writer.Write($"    {Same(spec.Segments[0], width)};");
        writer.Blank().Write("/// <summary>Whether no significant bit of these segments differs.</summary>");
        writer.Open(
            $"private static bool MaskedEqualsTails{path}(ref readonly byte key, ref readonly byte mask, ref readonly byte maskedKey, {spec.SegmentEnum} segments)");
        foreach (SegmentSpec segment in Tails(spec))
        {
            writer.Write($"// {segment.Size} bytes at {segment.Offset}.");
            writer.Write($"if ((segments & {spec.SegmentEnum}.{segment.Name}) != 0");
            writer.Open($"    && !({Same(segment, width)}))");
            writer.Write("return false;");
            writer.Close().Blank();
        }

        writer.Write("return true;").Close();
    }

    private static void EmitCopy(SourceWriter writer, FlowKeySpec spec, string path, int width)
    {
        string key = spec.TypeName;
        writer.Blank().Write($"/// <summary><see cref=\"MaskedCopy\"/>, {PathDescription(width)}.</summary>");
        writer.Open($"internal static void MaskedCopy{path}(in {key} key, in {key} mask, out {key} result)");
        writer.Write($"""
            result = default;
            ref readonly byte k = ref Bytes(in key);
            ref readonly byte m = ref Bytes(in mask);
            ref byte r = ref Unsafe.As<{key}, byte>(ref result);
            {spec.SegmentEnum} segments = key.Segments & mask.Segments;
            result.Segments = segments;
            """);
        foreach (SegmentSpec segment in spec.Segments)
        {
            if (segment.Value != 0)
            {
                writer.Open($"if ((segments & {spec.SegmentEnum}.{segment.Name}) != 0)");
            }

            foreach ((int piece, int offset) in Pieces(segment, width))
            {
                writer.Write($"MaskedWords.Copy{(piece == 64 ? string.Empty : Text(piece))}(in k, in m, ref r, {offset});");
            }

            if (segment.Value != 0)
            {
                writer.Close().Blank();
            }
        }

        writer.Close();
    }

    private static string CoreTerms(FlowKeySpec spec, int width, params string[] starts) => Terms(spec.Segments[0], width, starts);

    // Pieces of one width are added as vectors and summed once.
    private static string Terms(SegmentSpec segment, int width, params string[] starts)
    {
        string arguments = string.Join(", ", starts.Select(static start => $"in {start}"));
        return string.Join(" + ", Pieces(segment, width).GroupBy(static piece => piece.Width).Select(group => group.Key == 64
            ? string.Join(" + ", group.Select(piece => $"MaskedWords.Term({arguments}, {piece.Offset})"))
            : $"Vector{group.Key}.Sum({string.Join(" + ", group.Select(piece => $"MaskedWords.Terms{group.Key}({arguments}, {piece.Offset})"))})"));
    }

    private static string Same(SegmentSpec segment, int width) => string.Join(" && ", Pieces(segment, width).GroupBy(static piece => piece.Width).Select(group =>
    {
        string suffix = group.Key == 64 ? string.Empty : Text(group.Key);
        string differences = string.Join(" | ", group.Select(piece => $"MaskedWords.Difference{suffix}(in key, in mask, in maskedKey, {piece.Offset})"));
        return group.Key == 64 ? $"({differences}) == 0" : $"({differences}) == Vector{group.Key}<ulong>.Zero";
    }));

    // Cuts a segment into pieces no wider than the vector: 64 bytes, 32, 16, words.
    private static IEnumerable<(int Width, int Offset)> Pieces(SegmentSpec segment, int width)
    {
        int offset = segment.Offset;
        while (offset < segment.End)
        {
            int piece = Math.Min(width, 512);
            while (piece / 8 > segment.End - offset)
            {
                piece /= 2;
            }

            yield return (piece, offset);
            offset += piece / 8;
        }
    }

    private static string PathName(int width) => width == 64 ? "Scalar" : $"Vector{width}";

    private static string PathDescription(int width) => width == 64 ? "the slow twin, 8 bytes at a time" : $"up to {width / 8} bytes at a time";
}
