using Engine.Generators;
using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;

namespace Engine.Tests.Generators;

/// <summary>The header generator: what it writes, what it reports and where, and what it leaves alone.</summary>
public sealed class HeaderGeneratorTests
{
    private const string Start =
        """
        using Engine.Annotations;
        using Engine.Primitives;

        namespace Sample;


        """;

    private const string Sample = Start +
        """
        /// <summary>Sample.</summary>
        [ProtocolHeader(Size = 23)]
        public partial struct SampleHeader
        {
            /// <summary>Not a field on the wire.</summary>
            public const int Constant = 1;

            /// <summary>Byte with two ranges.</summary>
            public byte First;

            /// <summary>Word.</summary>
            public Be16 Second, Third;

            /// <summary>Address.</summary>
            public EthernetAddress Address;

            /// <summary>Nested.</summary>
            public InnerHeader Inner;

            /// <summary>High.</summary>
            [BitRange(nameof(First), Shift = 4, Width = 4)]
            public partial byte High { readonly get; set; }

            /// <summary>Low.</summary>
            [BitRange(nameof(First), Shift = 0, Width = 4)]
            internal partial byte Low { readonly get; set; }

            /// <summary>Flag.</summary>
            [BitRange(nameof(Third), Shift = 15, Width = 1)]
            public partial bool Flag { readonly get; set; }
        }

        /// <summary>Inner.</summary>
        [ProtocolHeader(Size = 12)]
        public partial struct InnerHeader
        {
            /// <summary>Word.</summary>
            public Be32 Word;

            /// <summary>Long word.</summary>
            public Be64 Long;

            /// <summary>Middle.</summary>
            [BitRange(nameof(Long), Shift = 8, Width = 40)]
            public partial ulong Middle { readonly get; set; }
        }
        """;

    /// <summary>Id, what stands where the diagnostic points, the struct.</summary>
    public static TheoryData<string, string, string> Faults => new()
    {
        { "ENG0101", "Bad", "[ProtocolHeader(Size = 1)] public struct Bad { public byte First; }" },
        { "ENG0101", "Bad", "public class Outer { [ProtocolHeader(Size = 1)] public partial struct Bad { public byte First; } }" },
        { "ENG0101", "Bad", "[ProtocolHeader(Size = 1)] public partial struct Bad<T> { public byte First; }" },
        { "ENG0102", "ProtocolHeader(Size = 4)", "[ProtocolHeader(Size = 4)] public partial struct Bad { public byte First; public Be16 Second; }" },
        { "ENG0103", "Second", "[ProtocolHeader(Size = 3)] public partial struct Bad { public byte First; public ushort Second; }" },
        { "ENG0104", "BitRange(\"First\", Shift = 0, Width = 1)", Ranged("[BitRange(\"First\", Shift = 0, Width = 1)] public bool Bit { get; set; }") },
        { "ENG0104", "BitRange(\"First\", Shift = 0, Width = 1)", Ranged("[BitRange(\"First\", Shift = 0, Width = 1)] public partial bool Bit { get; }") },
        { "ENG0104", "BitRange(\"First\", Shift = 0, Width = 1)", Ranged("[BitRange(\"First\", Shift = 0, Width = 1)] public partial bool Bit { get; set; }") },
        { "ENG0105", "BitRange(\"Frist\", Shift = 0, Width = 1)", Ranged("[BitRange(\"Frist\", Shift = 0, Width = 1)] public partial bool Bit { readonly get; set; }") },
        { "ENG0105", "BitRange(\"Source\", Shift = 0, Width = 1)", Ranged("[BitRange(\"Source\", Shift = 0, Width = 1)] public partial bool Bit { readonly get; set; }") },
        { "ENG0106", "BitRange(\"First\", Shift = 5, Width = 4)", Ranged("[BitRange(\"First\", Shift = 5, Width = 4)] public partial byte Bits { readonly get; set; }") },
        { "ENG0106", "BitRange(\"First\", Shift = 0, Width = 0)", Ranged("[BitRange(\"First\", Shift = 0, Width = 0)] public partial byte Bits { readonly get; set; }") },
        { "ENG0107", "BitRange(\"Second\", Shift = 0, Width = 9)", Ranged("[BitRange(\"Second\", Shift = 0, Width = 9)] public partial byte Bits { readonly get; set; }") },
        { "ENG0107", "BitRange(\"First\", Shift = 0, Width = 2)", Ranged("[BitRange(\"First\", Shift = 0, Width = 2)] public partial int Bits { readonly get; set; }") },
        {
            "ENG0108", "BitRange(\"First\", Shift = 3, Width = 2)",
            Ranged("[BitRange(\"First\", Shift = 0, Width = 4)] public partial byte Low { readonly get; set; } [BitRange(\"First\", Shift = 3, Width = 2)] public partial byte High { readonly get; set; }")
        },
    };

    [Fact]
    public void The_generated_text_is_the_baseline()
    {
        GeneratorRun run = Run(Sample);
        Baseline.AssertEqual(run.Sources);
        Assert.Equal(["InnerHeader.g.cs", "SampleHeader.g.cs"], run.Sources.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_output_compiles_without_a_warning() => Assert.Empty(Run(Sample).Problems.Select(static problem => problem.ToString()));

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_reported_where_it_is(string id, string at, string declaration)
    {
        GeneratorRun run = Run(Start + declaration);
        Diagnostic diagnostic = Assert.Single(run.Reported);
        Assert.Equal(id, diagnostic.Id);
        Assert.Equal(at, (Start + declaration).Substring(diagnostic.Location.SourceSpan.Start, diagnostic.Location.SourceSpan.Length));
        Assert.DoesNotContain("{", diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture).Replace("{ readonly get; set; }", string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Empty(run.Sources);
    }

    [Theory]
    [InlineData("public const int Constant = 1;", "/* moved */ public const int Constant = 2;")]
    [InlineData("/// <summary>Address.</summary>", "// Another comment.")]
    public void An_edit_that_changes_no_field_generates_nothing_again(string old, string edited)
    {
        GeneratorRun run = Run(Sample);
        run.Edit("Sample.cs", text => text.Replace(old, edited, StringComparison.Ordinal));
        run.AssertNothingGeneratedAgain(TrackingNames.HeaderSpec);
    }

    [Fact]
    public void A_changed_field_is_generated_again()
    {
        GeneratorRun run = Run(Sample);
        run.Edit("Sample.cs", static text => text.Replace("Shift = 8, Width = 40", "Shift = 8, Width = 41", StringComparison.Ordinal));
        Assert.Single(run.ReasonsOf(TrackingNames.HeaderSpec), IncrementalStepRunReason.Modified);
    }

    [Fact]
    public void A_spec_holds_nothing_of_the_compiler() => SpecTypes.AssertFreeOfTheCompiler(typeof(Engine.Generators.Headers.HeaderSpec), typeof(Engine.Generators.Headers.BitRange));

    private static string Ranged(string property) =>
        "[ProtocolHeader(Size = 9)] public partial struct Bad { public byte First; public Be16 Second; public EthernetAddress Source; " + property + " }";

    private static GeneratorRun Run(string source) => GeneratorRun.OverText(new HeaderGenerator(), source);
}
