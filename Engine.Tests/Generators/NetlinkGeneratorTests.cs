using System.Reflection;
using Engine.Generators;
using Engine.Generators.Infrastructure;
using Engine.Generators.Netlink;
using Microsoft.CodeAnalysis;

namespace Engine.Tests.Generators;

/// <summary>The netlink generator: what it writes, when it writes again, and what it reports.</summary>
public sealed class NetlinkGeneratorTests
{
    private const string Sample = """
        using Engine.Annotations;

        namespace Sample;

        [NetlinkAttributes]
        public enum SampleAttribute
        {
            Unspecified,

            /// <summary>A name.</summary>
            [NetlinkPayload(NetlinkType.NulString, Length = 15)]
            Name,

            /// <summary>A level &amp; more.</summary>
            [NetlinkPayload(NetlinkType.S32, HasRange = true, Minimum = -1, Maximum = 7)]
            Level,

            /// <summary>A switch.</summary>
            [NetlinkPayload(NetlinkType.Flag)]
            Clear,

            /// <summary>A list.</summary>
            [NetlinkPayload(NetlinkType.Nested)]
            Items,

            /// <summary>Counters.</summary>
            [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
            Stats,
        }
        """;

    [Fact]
    public void A_set_is_generated_as_reviewed()
    {
        GeneratorRun run = GeneratorRun.OverText(new NetlinkGenerator(), Sample);
        Assert.Empty(run.Reported);
        Baseline.AssertEqual(run.Sources);
    }

    [Fact]
    public void What_is_generated_compiles_without_a_warning() =>
        Assert.Empty(GeneratorRun.OverText(new NetlinkGenerator(), Sample).Problems.Where(static problem => problem.Id != "CS1591").Select(static problem => problem.ToString()));

    [Fact]
    public void A_comment_or_another_file_generates_nothing_again()
    {
        GeneratorRun run = GeneratorRun.OverText(new NetlinkGenerator(), Sample);
        run.Add("Unrelated.cs", "namespace Unrelated; internal sealed class Nothing;");
        Assert.All(run.ReasonsOfOutputs(), static reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
        run.Edit("Sample.cs", static text => text.Replace("    Clear,", "    // Moved down a line.\n    Clear,", StringComparison.Ordinal));
        Assert.All(run.ReasonsOfOutputs(), static reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    [Fact]
    public void A_changed_policy_generates_again()
    {
        GeneratorRun run = GeneratorRun.OverText(new NetlinkGenerator(), Sample);
        run.Edit("Sample.cs", static text => text.Replace("Length = 15", "Length = 31", StringComparison.Ordinal));
        Assert.Contains(IncrementalStepRunReason.Modified, run.ReasonsOf(TrackingNames.NetlinkSpec));
        Assert.Contains("Length: 31", run.Sources["SampleAttributes.g.cs"], StringComparison.Ordinal);
    }

    [Fact]
    public void Equal_source_gives_an_equal_spec()
    {
        NetlinkSpec first = GeneratorRun.OverText(new NetlinkGenerator(), Sample).ValuesOf<NetlinkSpec>(TrackingNames.NetlinkSpec).Single();
        NetlinkSpec second = GeneratorRun.OverText(new NetlinkGenerator(), Sample).ValuesOf<NetlinkSpec>(TrackingNames.NetlinkSpec).Single();
        Assert.NotSame(first, second);
        Assert.Equal(first, second);
    }

    public static TheoryData<string, string, string, string> Mistakes => new()
    {
        { "ENG0301", "enum SampleAttribute", "enum SampleSet", "SampleSet" },
        { "ENG0302", "    Clear,", "    Clear = 7,", "Clear" },
        { "ENG0303", "[NetlinkPayload(NetlinkType.Flag)]", "", "Clear" },
        { "ENG0304", "Minimum = -1", "Minimum = 8", "Level" },
        { "ENG0305", "(NetlinkType.Flag)", "(NetlinkType.Flag, Length = 4)", "Clear" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_reported_where_it_stands(string id, string right, string wrong, string place)
    {
        string text = Sample.Replace(right, wrong, StringComparison.Ordinal);
        Assert.NotEqual(Sample, text);
        GeneratorRun run = GeneratorRun.OverText(new NetlinkGenerator(), text);
        Diagnostic diagnostic = Assert.Single(run.Reported, diagnostic => diagnostic.Id == id);
        Assert.Equal(place, text.Substring(diagnostic.Location.SourceSpan.Start, diagnostic.Location.SourceSpan.Length));
        Assert.Empty(run.Sources);
    }

    [Fact]
    public void Every_diagnostic_of_netlink_sets_has_a_mistake_that_shows_it() => Assert.Equal(
        typeof(Engine.Generators.Diagnostics.DiagnosticDescriptors).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(static field => ((DiagnosticDescriptor)field.GetValue(null)!).Id).Where(static id => id.StartsWith("ENG03", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
        Mistakes.Select(static row => (string)row[0]).Order(StringComparer.Ordinal));
}
