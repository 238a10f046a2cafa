using System.Collections.Immutable;
using Engine.Generators;
using Engine.Generators.Infrastructure;
using Engine.Tests.Architecture;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

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

    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
    ];

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
        GeneratorRunResult result = Run(Sample, out _).Results.Single();
        foreach (GeneratedSourceResult source in result.GeneratedSources)
        {
            string path = Path.Combine(Repository.Root, "Engine.Tests", "Generators", "Baselines", source.HintName + ".txt");
            string text = source.SourceText.ToString();
            if (Repository.UpdatesBaselines)
            {
                File.WriteAllText(path, text);
            }

            Assert.Equal(File.ReadAllText(path), text);
        }

        Assert.Equal(["InnerHeader.g.cs", "SampleHeader.g.cs"], result.GeneratedSources.Select(source => source.HintName).Order());
    }

    [Fact]
    public void The_output_compiles_without_a_warning()
    {
        Run(Sample, out Compilation output);
        Assert.Empty(output.GetDiagnostics().Where(diagnostic => diagnostic.Severity != DiagnosticSeverity.Hidden));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_reported_where_it_is(string id, string at, string declaration)
    {
        GeneratorRunResult result = Run(Start + declaration, out _).Results.Single();
        Diagnostic diagnostic = Assert.Single(result.Diagnostics);
        Assert.Equal(id, diagnostic.Id);
        Assert.Equal(at, (Start + declaration).Substring(diagnostic.Location.SourceSpan.Start, diagnostic.Location.SourceSpan.Length));
        Assert.DoesNotContain("{", diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture).Replace("{ readonly get; set; }", string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Empty(result.GeneratedSources);
    }

    [Theory]
    [InlineData("public const int Constant = 1;", "/* moved */ public const int Constant = 2;")]
    [InlineData("/// <summary>Address.</summary>", "// Another comment.")]
    public void An_edit_that_changes_no_field_generates_nothing_again(string old, string edited)
    {
        CSharpCompilation first = Compile(Sample);
        GeneratorDriver driver = Driver().RunGenerators(first);
        CSharpCompilation second = first.ReplaceSyntaxTree(first.SyntaxTrees.Single(), Parse(Sample.Replace(old, edited, StringComparison.Ordinal)));
        GeneratorRunResult result = driver.RunGenerators(second).GetRunResult().Results.Single();
        Assert.All(
            result.TrackedSteps[TrackingNames.HeaderSpec].SelectMany(step => step.Outputs),
            output => Assert.True(output.Reason is IncrementalStepRunReason.Unchanged or IncrementalStepRunReason.Cached, output.Reason.ToString()));
        Assert.All(
            result.TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(step => step.Outputs),
            output => Assert.Equal(IncrementalStepRunReason.Cached, output.Reason));
    }

    [Fact]
    public void A_changed_field_is_generated_again()
    {
        CSharpCompilation first = Compile(Sample);
        GeneratorDriver driver = Driver().RunGenerators(first);
        SyntaxTree edited = Parse(Sample.Replace("Shift = 8, Width = 40", "Shift = 8, Width = 41", StringComparison.Ordinal));
        GeneratorRunResult result = driver.RunGenerators(first.ReplaceSyntaxTree(first.SyntaxTrees.Single(), edited)).GetRunResult().Results.Single();
        Assert.Single(result.TrackedSteps[TrackingNames.HeaderSpec].SelectMany(step => step.Outputs), output => output.Reason == IncrementalStepRunReason.Modified);
    }

    [Fact]
    public void A_spec_holds_nothing_of_the_compiler()
    {
        Queue<Type> types = new([typeof(Engine.Generators.Headers.HeaderSpec)]);
        HashSet<Type> seen = [];
        while (types.TryDequeue(out Type? type))
        {
            if (seen.Add(type))
            {
                Assert.DoesNotContain("CodeAnalysis", type.FullName!, StringComparison.Ordinal);
                IEnumerable<Type> fields = type.GetFields((System.Reflection.BindingFlags)0x34).Select(field => field.FieldType);
                foreach (Type next in fields.Concat(type.GetGenericArguments()).Where(next => next.Namespace != "System"))
                {
                    types.Enqueue(next);
                }
            }
        }

        Assert.Contains(typeof(Engine.Generators.Headers.BitRange), seen);
    }

    private static string Ranged(string property) =>
        "[ProtocolHeader(Size = 9)] public partial struct Bad { public byte First; public Be16 Second; public EthernetAddress Source; " + property + " }";

    private static CSharpGeneratorDriver Driver() => CSharpGeneratorDriver.Create(
        [new HeaderGenerator().AsSourceGenerator()],
        parseOptions: (CSharpParseOptions)Parse(string.Empty).Options,
        driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    private static SyntaxTree Parse(string source) =>
        CSharpSyntaxTree.ParseText(SourceText.From(source), new CSharpParseOptions(LanguageVersion.Preview, DocumentationMode.Diagnose), "Sample.cs");

    private static CSharpCompilation Compile(string source) => CSharpCompilation.Create(
        "Sample",
        [Parse(source)],
        References,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

    private static GeneratorDriverRunResult Run(string source, out Compilation output) =>
        Driver().RunGeneratorsAndUpdateCompilation(Compile(source), out output, out _).GetRunResult();
}
