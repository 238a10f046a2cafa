using System.Collections;
using System.Reflection;
using Engine.Generators;
using Engine.Generators.FlowKeys;
using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;

namespace Engine.Tests.Generators;

/// <summary>The flow key generator: what it writes, when it writes again, and what it reports.</summary>
public sealed class FlowKeyGeneratorTests
{
    private const string FlowKeyPath = "Flows/FlowKey.cs";

    private const string Sample = """
        using Engine.Annotations;
        using Engine.Primitives;

        namespace Sample;

        public enum Parts { Core = 0, Tail = 1, More = 2 }

        public enum Attr { Unspecified, Mark, Ports, Address }

        [FlowKey(96)]
        [KeyAttribute(Attr.Mark, "mark", Size = 4)]
        [KeyAttribute(Attr.Ports, "ports", Size = 4, Layer = KeyLayer.Headers, When = nameof(Mark))]
        [KeyAttribute(Attr.Address, "address", Size = 6, Layer = KeyLayer.Headers)]
        public partial struct SmallKey
        {
            [Segment(Parts.Core)]
            [KeyPart(Attr.Mark, "")]
            public uint Mark;
            [KeyPart(Attr.Ports, "src", Offset = 0)]
            public Be16 Source;
            [KeyPart(Attr.Ports, "dst", Offset = 2)]
            public Be16 Destination;
            private readonly ulong _a, _b, _c, _d, _e, _f, _g;

            [Segment(Parts.Tail)]
            [KeyPart(Attr.Address, "", Offset = 0)]
            public EthernetAddress Address;
            private readonly ushort _padding;

            [Segment(Parts.More)]
            public ulong Id;

            [NotMatched]
            public Parts Segments;
            private readonly int _end;
            private readonly ulong _unused;
        }
        """;

    [Fact]
    public void The_flow_key_is_generated_as_reviewed()
    {
        GeneratorRun run = OverFlowKey();
        Assert.Empty(run.Reported);
        Assert.Equal(["FlowKey.Layout.g.cs", "FlowKey.Match.g.cs", "FlowKey.Netlink.g.cs", "FlowKeySchema.g.cs"], run.Sources.Keys.Order(StringComparer.Ordinal));
        Baseline.AssertEqual(run.Sources);
    }

    [Fact]
    public void A_small_key_is_generated_as_reviewed()
    {
        GeneratorRun run = GeneratorRun.OverText(new FlowKeyGenerator(), Sample);
        Assert.Empty(run.Reported);
        Baseline.AssertEqual(run.Sources);
    }

    [Fact]
    public void What_is_generated_compiles_without_a_warning() => Assert.Empty(OverFlowKey().Problems.Select(static problem => problem.ToString()));

    [Fact]
    public void What_is_generated_switches_no_warning_off() => Assert.All(OverFlowKey().Sources.Values, static text => Assert.DoesNotContain("#pragma", text, StringComparison.Ordinal));

    [Fact]
    public void An_unrelated_file_generates_nothing_again()
    {
        GeneratorRun run = OverFlowKey();
        run.Add("Unrelated.cs", "namespace Unrelated; internal sealed class Nothing;");
        AssertUntouched(run);
    }

    [Fact]
    public void A_comment_in_the_declaration_generates_nothing_again()
    {
        GeneratorRun run = OverFlowKey();
        run.Edit(FlowKeyPath, static text => text.Replace("    public uint SkbMark;", "    // Moved down a line.\n    public uint SkbMark;", StringComparison.Ordinal));
        AssertUntouched(run);
    }

    [Fact]
    public void A_changed_part_generates_again()
    {
        GeneratorRun run = OverFlowKey();
        run.Edit(FlowKeyPath, static text => text.Replace("OvsKeyAttribute.Ipv4, \"tos\", Offset = 9", "OvsKeyAttribute.Ipv4, \"dscp\", Offset = 9", StringComparison.Ordinal));
        Assert.Contains(IncrementalStepRunReason.Modified, run.ReasonsOf(TrackingNames.FlowKeySpec));
        Assert.Contains("\"dscp\"", run.Sources["FlowKeySchema.g.cs"], StringComparison.Ordinal);
    }

    [Fact]
    public void Equal_source_gives_an_equal_spec()
    {
        FlowKeySpec first = OverFlowKey().ValuesOf<FlowKeySpec>(TrackingNames.FlowKeySpec).Single();
        FlowKeySpec second = OverFlowKey().ValuesOf<FlowKeySpec>(TrackingNames.FlowKeySpec).Single();
        Assert.NotSame(first, second);
        Assert.Equal(first, second);
        Assert.Equal(first.GetHashCode(), second.GetHashCode());
    }

    [Fact]
    public void The_spec_holds_no_symbol_or_syntax()
    {
        HashSet<object> seen = new(ReferenceEqualityComparer.Instance);
        AssertPlain(OverFlowKey().ValuesOf<FlowKeySpec>(TrackingNames.FlowKeySpec).Single(), seen);
        Assert.True(seen.Count > 100);
    }

    public static TheoryData<string, string, string, string> Mistakes => new()
    {
        { "ENG0001", "public partial struct", "public struct", "SmallKey" },
        { "ENG0002", "FlowKey(96)", "FlowKey(104)", "FlowKey(104)" },
        { "ENG0003", "private readonly ushort _padding;", "private readonly uint _padding;", "Segment(Parts.Tail)" },
        { "ENG0004", "_d, _e, _f, _g;", "_d, _e, _f;", "Segment(Parts.Core)" },
        { "ENG0005", "Tail = 1, More = 2", "Tail = 1, More = 4", "Segment(Parts.More)" },
        { "ENG0006", "[Segment(Parts.Core)]", "", "Mark" },
        { "ENG0007", "public ulong Id;", "public string Id;", "Id" },
        { "ENG0008", "[KeyAttribute(Attr.Mark, \"mark\", Size = 4)]", "", "KeyPart(Attr.Mark, \"\")" },
        { "ENG0009", "\"dst\", Offset = 2", "\"dst\", Offset = 3", "KeyPart(Attr.Ports, \"dst\", Offset = 3)" },
        { "ENG0010", "[FlowKey(96)]", "[FlowKey(96)][KeyAttribute(Attr.Mark, \"again\", Size = 4)]", "KeyAttribute(Attr.Mark, \"mark\", Size = 4)" },
        { "ENG0011", "\"dst\", Offset = 2", "\"dst\", Offset = 1", "KeyPart(Attr.Ports, \"dst\", Offset = 1)" },
        { "ENG0012", "When = nameof(Mark)", "When = \"Absent\"", "KeyAttribute(Attr.Ports, \"ports\", Size = 4, Layer = KeyLayer.Headers, When = \"Absent\")" },
        { "ENG0013", "(Attr.Address, \"\", Offset = 0)", "(Attr.Address, \"\", Size = 4)", "KeyPart(Attr.Address, \"\", Size = 4)" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_reported_where_it_stands(string id, string right, string wrong, string place)
    {
        string text = Sample.Replace(right, wrong, StringComparison.Ordinal);
        Assert.NotEqual(Sample, text);
        GeneratorRun run = GeneratorRun.OverText(new FlowKeyGenerator(), text);
        Diagnostic diagnostic = Assert.Single(run.Reported, diagnostic => diagnostic.Id == id);
        Assert.Equal("Sample.cs", diagnostic.Location.GetLineSpan().Path);
        Assert.Equal(place, text.Substring(diagnostic.Location.SourceSpan.Start, diagnostic.Location.SourceSpan.Length));
        Assert.Empty(run.Sources);
    }

    [Fact]
    public void Every_diagnostic_of_flow_keys_has_a_mistake_that_shows_it() => Assert.Equal(
        typeof(Engine.Generators.Diagnostics.DiagnosticDescriptors).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(static field => ((DiagnosticDescriptor)field.GetValue(null)!).Id).Where(static id => id.StartsWith("ENG00", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
        Mistakes.Select(static row => (string)row[0]).Order(StringComparer.Ordinal));

    // The declaration and what the generated code uses, without what other generators write, that of LibraryImport among them.
    private static GeneratorRun OverFlowKey() => GeneratorRun.OverEngine(new FlowKeyGenerator(), static path =>
        path.StartsWith("Annotations/", StringComparison.Ordinal)
        || (path.StartsWith("Primitives/", StringComparison.Ordinal) && path != "Primitives/HugeMemory.cs")
        || path.StartsWith("Netlink/", StringComparison.Ordinal)
        || path.StartsWith("Flows/Key", StringComparison.Ordinal)
        || path.StartsWith("Flows/Tunnel", StringComparison.Ordinal)
        || path.StartsWith("Flows/FlowKey.", StringComparison.Ordinal)
        || path is "Flows/FlowKeySegments.cs" or "Flows/FlowKeySchema.cs");

    private static void AssertUntouched(GeneratorRun run)
    {
        Assert.All(run.ReasonsOf(TrackingNames.FlowKeySpec), AssertKept);
        Assert.All(run.ReasonsOf(TrackingNames.FlowKeyDiagnostics), AssertKept);
        Assert.All(run.ReasonsOfOutputs(), static reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    private static void AssertKept(IncrementalStepRunReason reason) =>
        Assert.True(reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, reason.ToString());

    private static void AssertPlain(object? value, HashSet<object> seen)
    {
        if (value is null or string || value.GetType().IsPrimitive || value.GetType().IsEnum || (!value.GetType().IsValueType && !seen.Add(value)))
        {
            return;
        }

        Assert.False(value is ISymbol or SyntaxNode or SyntaxTree or Compilation or Location, value.GetType().FullName);
        if (value is IEnumerable items)
        {
            foreach (object? item in items)
            {
                AssertPlain(item, seen);
            }

            return;
        }

        foreach (FieldInfo field in value.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            AssertPlain(field.GetValue(value), seen);
        }
    }
}
