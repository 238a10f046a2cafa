using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;

namespace Engine.Generators.Pipelines;

/// <summary>Compiles the flows of each class marked <c>[Pipeline]</c>.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class PipelineGenerator : IIncrementalGenerator
{
    /// <summary>Step: what the source says of each pipeline.</summary>
    internal const string Declared = "PipelineDeclared";

    /// <summary>Step: spec and diagnostics of each pipeline.</summary>
    internal const string Parsed = "PipelineParsed";

    /// <summary>Step: the spec alone.</summary>
    internal const string Spec = "PipelineSpec";

    private const string Extension = ".flows";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValueProvider<EquatableArray<FlowsFile>> files = context.AdditionalTextsProvider
            .Where(static file => file.Path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))
            .Select(static (file, cancellation) => new FlowsFile(file.Path, file.GetText(cancellation)?.ToString() ?? string.Empty))
            .Collect()
            .Select(static (all, _) => all.ToEquatableArray());

        IncrementalValuesProvider<ParseResult<PipelineSpec>> parsed = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                PipelineDeclaration.MarkerAttribute,
                static (_, _) => true,
                static (attributed, cancellation) => PipelineDeclaration.Read(attributed, cancellation))
            .WithTrackingName(Declared)
            .Combine(files)
            .Select(static (both, cancellation) => PipelineParser.Parse(both.Left, both.Right, cancellation))
            .WithTrackingName(Parsed);

        IncrementalValuesProvider<PipelineSpec> specs = parsed
            .Where(static result => result.Spec is not null)
            .Select(static (result, _) => result.Spec!)
            .WithTrackingName(Spec);

        context.RegisterSourceOutput(specs, static (output, spec) => output.AddSource(spec.HintName, PipelineEmitter.Emit(spec)));

        // The compilation is looked at only while there is something to report.
        context.RegisterSourceOutput(
            parsed.SelectMany(static (result, _) => result.Diagnostics).Combine(context.CompilationProvider),
            static (output, found) => output.ReportDiagnostic(found.Left.ToDiagnostic(found.Right)));
    }
}
