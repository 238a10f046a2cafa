using Engine.Generators;
using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;

namespace Engine.Tests.Generators;

/// <summary>The action generator: what it writes, what it reports and where, and what it leaves alone.</summary>
public sealed class ActionGeneratorTests
{
    // The types of the engine that generated code names, as small as can be.
    private const string Start =
        """
        #nullable enable
        using System;
        using Engine.Actions;
        using Engine.Annotations;
        using Engine.Flows;
        using Engine.Netlink;
        using Engine.Packets;
        using Engine.Primitives;

        namespace Engine.Annotations
        {
            internal sealed class ActionSetAttribute : Attribute;
            internal sealed class ActionAttribute(object attribute, string name) : Attribute { public object Attribute { get; } = attribute; public string Name { get; } = name; public int Length { get; set; } = -1; public bool LeavesFlow { get; set; } }
            internal sealed class ActionStepAttribute(object opcode) : Attribute { public object Opcode { get; } = opcode; }
        }

        namespace Engine.Flows { internal struct FlowKey; }
        namespace Engine.Packets { internal struct Packet; }
        namespace Engine.Primitives { internal enum Errno { None, InvalidArgument } internal readonly struct Refusal { public static Refusal Invalid(string reason, int offset) => default; } }
        namespace Engine.Netlink { internal readonly ref struct NetlinkAttribute { public int Type { get; init; } public int Offset { get; init; } } }
        namespace Engine.Actions
        {
            internal struct PacketShape;
            internal enum Opcode : byte { Turn, Shift }
            internal struct ActionStep { public Opcode Opcode { get; set; } public uint Argument { get; set; } public ushort Small { get; set; } }
            internal enum Numbers { Nothing, Send, Turn, Hold }
            internal sealed record ActionSchema(Numbers Attribute, string Name, int Length);
        }


        """;

    private const string Sample = Start +
        """
        namespace Engine.Actions
        {
            [ActionSet]
            internal sealed partial class SampleCompiler
            {
                /// <summary>Used by the generated part.</summary>
                public Refusal Use(NetlinkAttribute action, ref PacketShape shape) => LengthOf(action.Type) < 0 || LeavesFlow(action.Type) ? default : CompileAction(action, ref shape, true, 0);

                [Action(Numbers.Hold, "hold")]
                private Refusal CompileHold(in NetlinkAttribute action, in PacketShape shape, bool isLast, int depth) => default;

                [Action(Numbers.Send, "send", Length = 4, LeavesFlow = true)]
                private Refusal CompileSend(in NetlinkAttribute action) => default;

                [Action(Numbers.Turn, "turn_2", Length = 0)]
                private Refusal CompileTurn(in NetlinkAttribute action, ref PacketShape shape) => default;
            }

            [ActionSet]
            internal static unsafe partial class SampleSteps
            {
                [ActionStep(Opcode.Shift)]
                public static Errno Shift(Packet* packet, ref FlowKey key, ReadOnlySpan<byte> arguments) => Errno.None;

                [ActionStep(Opcode.Turn)]
                public static Errno Turn(ref FlowKey key, uint argument, ushort small) => Errno.None;
            }
        }
        """;

    /// <summary>Id, what stands where the diagnostic points, the members of a class.</summary>
    public static TheoryData<string, string, string> Faults => new()
    {
        { "ENG0201", "Bad", "[ActionSet] internal sealed class Bad { }" },
        { "ENG0201", "Bad", "[ActionSet] internal sealed partial class Bad<T> { }" },
        { "ENG0202", "Action(Numbers.Send, \"again\")", Class("[Action(Numbers.Send, \"send\")] Refusal A() => default; [Action(Numbers.Send, \"again\")] Refusal B() => default;") },
        { "ENG0202", "ActionStep(Opcode.Turn)", Class("[ActionStep(Opcode.Turn)] static Errno A() => default; [ActionStep(Opcode.Turn)] static Errno B() => default;") },
        { "ENG0203", "Action(7, \"send\")", Class("[Action(7, \"send\")] Refusal A() => default;") },
        { "ENG0203", "ActionStep((Opcode)9)", Class("[ActionStep((Opcode)9)] static Errno A() => default;") },
        { "ENG0204", "Action(Numbers.Send, \"send\")", Class("[Action(Numbers.Send, \"send\")] Refusal A(int port) => default;") },
        { "ENG0204", "ActionStep(Opcode.Turn)", Class("[ActionStep(Opcode.Turn)] static Errno A(int depth) => default;") },
        { "ENG0205", "Action(Numbers.Send, \"send\")", Class("[Action(Numbers.Send, \"send\")] bool A() => true;") },
        { "ENG0205", "ActionStep(Opcode.Turn)", Class("[ActionStep(Opcode.Turn)] static void A() { }") },
        { "ENG0206", "Action(Numbers.Send, \"Send it\")", Class("[Action(Numbers.Send, \"Send it\")] Refusal A() => default;") },
        { "ENG0206", "Action(Numbers.Send, \"\")", Class("[Action(Numbers.Send, \"\")] Refusal A() => default;") },
        { "ENG0207", "Bad", Class("[Action(Numbers.Send, \"send\")] Refusal A() => default; [Action(Numbers.Turn, \"turn\")] Refusal B() => default;") },
    };

    [Fact]
    public void The_generated_text_is_the_baseline()
    {
        GeneratorRun run = Run(Sample);
        Baseline.AssertEqual(run.Sources);
        Assert.Equal(["SampleCompiler.g.cs", "SampleSteps.g.cs"], run.Sources.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_output_compiles_without_a_warning() => Assert.Empty(Run(Sample).Problems.Select(static problem => problem.ToString()));

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_reported_where_it_is(string id, string at, string declaration)
    {
        string source = Start + "namespace Engine.Actions { " + declaration + " }";
        GeneratorRun run = Run(source);
        Diagnostic diagnostic = Assert.Single(run.Reported);
        Assert.Equal(id, diagnostic.Id);
        Assert.Equal(at, source.Substring(diagnostic.Location.SourceSpan.Start, diagnostic.Location.SourceSpan.Length));
        Assert.DoesNotContain("{", diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Assert.Empty(run.Sources);
    }

    [Theory]
    [InlineData("/// <summary>Used by the generated part.</summary>", "// Another comment.")]
    [InlineData("int depth) => default;", "int depth) { return default; }")]
    public void An_edit_that_changes_no_declaration_generates_nothing_again(string old, string edited)
    {
        GeneratorRun run = Run(Sample);
        run.Edit("Sample.cs", text => text.Replace(old, edited, StringComparison.Ordinal));
        run.AssertNothingGeneratedAgain(TrackingNames.ActionSpec);
    }

    [Fact]
    public void A_changed_declaration_is_generated_again()
    {
        GeneratorRun run = Run(Sample);
        run.Edit("Sample.cs", static text => text.Replace("Length = 4", "Length = 8", StringComparison.Ordinal));
        Assert.Single(run.ReasonsOf(TrackingNames.ActionSpec), IncrementalStepRunReason.Modified);
    }

    [Fact]
    public void A_spec_holds_nothing_of_the_compiler() => SpecTypes.AssertFreeOfTheCompiler(typeof(Engine.Generators.Actions.ActionSpec), typeof(Engine.Generators.Actions.StepMethod));

    private static string Class(string members) => "[ActionSet] internal sealed partial class Bad { " + members + " }";

    private static GeneratorRun Run(string source) => GeneratorRun.OverText(new ActionGenerator(), source, withEngine: false);
}
