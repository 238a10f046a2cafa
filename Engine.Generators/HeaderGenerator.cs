using Engine.Generators.Headers;
using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;

namespace Engine.Generators;

/// <summary>Writes layout, reading, writing, bit ranges and printer of each struct marked <c>[ProtocolHeader]</c>.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class HeaderGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<ParseResult<HeaderSpec>> parsed = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                HeaderParser.MarkerAttribute,
                static (_, _) => true,
                static (attributed, cancellation) => HeaderParser.Parse(attributed, cancellation))
            .WithTrackingName(TrackingNames.HeaderParsed);

        IncrementalValuesProvider<HeaderSpec> specs = parsed
            .Where(static result => result.Spec is not null)
            .Select(static (result, _) => result.Spec!)
            .WithTrackingName(TrackingNames.HeaderSpec);

        IncrementalValuesProvider<EquatableArray<DiagnosticInfo>> diagnostics = parsed
            .Select(static (result, _) => result.Diagnostics)
            .WithTrackingName(TrackingNames.HeaderDiagnostics);

        context.RegisterSourceOutput(specs, static (output, spec) => output.AddSource($"{spec.Name}.g.cs", HeaderEmitter.Emit(spec)));
        context.RegisterSourceOutput(diagnostics, static (output, found) =>
        {
            foreach (DiagnosticInfo diagnostic in found)
            {
                output.ReportDiagnostic(diagnostic.ToDiagnostic());
            }
        });
    }
}
