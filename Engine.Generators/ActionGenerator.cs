using Engine.Generators.Actions;
using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;

namespace Engine.Generators;

/// <summary>Writes table and dispatch of each class marked <c>[ActionSet]</c>.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class ActionGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<ParseResult<ActionSpec>> parsed = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                ActionParser.MarkerAttribute,
                static (_, _) => true,
                static (attributed, cancellation) => ActionParser.Parse(attributed, cancellation))
            .WithTrackingName(TrackingNames.ActionParsed);

        IncrementalValuesProvider<ActionSpec> specs = parsed
            .Where(static result => result.Spec is not null)
            .Select(static (result, _) => result.Spec!)
            .WithTrackingName(TrackingNames.ActionSpec);

        IncrementalValuesProvider<EquatableArray<DiagnosticInfo>> diagnostics = parsed
            .Select(static (result, _) => result.Diagnostics)
            .WithTrackingName(TrackingNames.ActionDiagnostics);

        context.RegisterSourceOutput(specs, static (output, spec) => output.AddSource($"{spec.Name}.g.cs", ActionEmitter.Emit(spec)));
        context.RegisterSourceOutput(diagnostics, static (output, found) =>
        {
            foreach (DiagnosticInfo diagnostic in found)
            {
                output.ReportDiagnostic(diagnostic.ToDiagnostic());
            }
        });
    }
}
