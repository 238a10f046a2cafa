using Engine.Generators.FlowKeys;
using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;

namespace Engine.Generators;

/// <summary>Writes layout, match, netlink codec and schema of each struct marked <c>[FlowKey]</c>.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class FlowKeyGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<ParseResult<FlowKeySpec>> parsed = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                FlowKeyParser.MarkerAttribute,
                static (_, _) => true,
                static (attributed, cancellation) => FlowKeyParser.Parse(attributed, cancellation))
            .WithTrackingName(TrackingNames.FlowKeyParsed);

        IncrementalValuesProvider<FlowKeySpec> specs = parsed
            .Where(static result => result.Spec is not null)
            .Select(static (result, _) => result.Spec!)
            .WithTrackingName(TrackingNames.FlowKeySpec);

        IncrementalValuesProvider<EquatableArray<DiagnosticInfo>> diagnostics = parsed
            .Select(static (result, _) => result.Diagnostics)
            .WithTrackingName(TrackingNames.FlowKeyDiagnostics);

        context.RegisterSourceOutput(specs, static (output, spec) =>
        {
            output.AddSource($"{spec.TypeName}.Layout.g.cs", FlowKeyEmitter.EmitLayout(spec));
            output.AddSource($"{spec.TypeName}.Match.g.cs", FlowKeyEmitter.EmitMatch(spec));
            output.AddSource($"{spec.TypeName}.Netlink.g.cs", FlowKeyEmitter.EmitNetlink(spec));
            output.AddSource($"{spec.TypeName}Schema.g.cs", FlowKeyEmitter.EmitSchema(spec));
        });

        context.RegisterSourceOutput(diagnostics, static (output, found) =>
        {
            foreach (DiagnosticInfo diagnostic in found)
            {
                output.ReportDiagnostic(diagnostic.ToDiagnostic());
            }
        });
    }
}
