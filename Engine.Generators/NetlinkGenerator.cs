using Engine.Generators.Infrastructure;
using Engine.Generators.Netlink;
using Microsoft.CodeAnalysis;

namespace Engine.Generators;

/// <summary>Writes reader, policy and writer of each enum marked <c>[NetlinkAttributes]</c>.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class NetlinkGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<ParseResult<NetlinkSpec>> parsed = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                NetlinkParser.MarkerAttribute,
                static (_, _) => true,
                static (attributed, cancellation) => NetlinkParser.Parse(attributed, cancellation))
            .WithTrackingName(TrackingNames.NetlinkParsed);

        IncrementalValuesProvider<NetlinkSpec> specs = parsed
            .Where(static result => result.Spec is not null)
            .Select(static (result, _) => result.Spec!)
            .WithTrackingName(TrackingNames.NetlinkSpec);

        IncrementalValuesProvider<EquatableArray<DiagnosticInfo>> diagnostics = parsed
            .Select(static (result, _) => result.Diagnostics)
            .WithTrackingName(TrackingNames.NetlinkDiagnostics);

        context.RegisterSourceOutput(specs, static (output, spec) =>
        {
            output.AddSource($"{spec.ReaderName}.g.cs", NetlinkEmitter.EmitReader(spec));
            output.AddSource($"{spec.WriterName}.g.cs", NetlinkEmitter.EmitWriter(spec));
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
