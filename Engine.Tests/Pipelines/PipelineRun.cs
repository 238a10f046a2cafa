extern alias pipelines;

using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using Engine.Datapaths;
using Engine.Pipelines;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using pipelines::Engine.Generators.Pipelines;

namespace Engine.Tests.Pipelines;

/// <summary>Source with pipelines, run through the generator and the compiler as a build does.</summary>
internal sealed class PipelineRun
{
    /// <summary>How source is read.</summary>
    public static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.Latest, DocumentationMode.Parse);

    /// <summary>The runtime and Engine.</summary>
    public static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(static path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal))
            .Append(typeof(IPipeline).Assembly.Location)
            .Select(static path => MetadataReference.CreateFromFile(path)),
    ];

    private CSharpCompilation _input;
    private GeneratorDriver _driver;
    private Compilation _output;

    /// <summary>Runs over one file, <c>Sample.cs</c>, and additional files.</summary>
    public PipelineRun(string source, params IEnumerable<(string Path, string Content)> files)
    {
        // No unsafe code is allowed: an appliance needs none.
        _input = CSharpCompilation.Create(
            "Sample" + Guid.NewGuid().ToString("N"),
            [CSharpSyntaxTree.ParseText(source, ParseOptions, "Sample.cs")],
            References,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, deterministic: true, nullableContextOptions: NullableContextOptions.Enable, warningLevel: 9999));
        _driver = CSharpGeneratorDriver.Create(
            [new PipelineGenerator().AsSourceGenerator()],
            additionalTexts: files.Select(static file => new FlowsText(file.Path, file.Content)),
            parseOptions: ParseOptions,
            driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
        _output = _input;
        Run();
    }

    /// <summary>What the generator reported.</summary>
    public ImmutableArray<Diagnostic> Reported => _driver.GetRunResult().Diagnostics;

    /// <summary>Generated text by hint name.</summary>
    public IReadOnlyDictionary<string, string> Sources => _driver.GetRunResult().Results.Single().GeneratedSources
        .ToDictionary(static source => source.HintName, static source => source.SourceText.ToString(), StringComparer.Ordinal);

    /// <summary>What went wrong in the generator itself.</summary>
    public Exception? Exception => _driver.GetRunResult().Results.Single().Exception;

    /// <summary>The steps of the last run.</summary>
    public GeneratorRunResult Result => _driver.GetRunResult().Results.Single();

    /// <summary>Source that declares a pipeline <c>Sample.Edge</c> with the file <c>table.flows</c>.</summary>
    public static string Declaration(string name = "Edge", string file = "table.flows") =>
        $"namespace Sample; [Engine.Pipelines.Pipeline(\"{file}\")] public partial class {name};";

    /// <summary>Adds a source file and runs again.</summary>
    public void Add(string path, string text)
    {
        _input = _input.AddSyntaxTrees(CSharpSyntaxTree.ParseText(text, ParseOptions, path));
        Run();
    }

    /// <summary>Compiles and loads, and fails on any warning of the generated code.</summary>
    public Assembly Load()
    {
        using MemoryStream image = new();
        Emit(image);
        image.Position = 0;
        return new AssemblyLoadContext(null, isCollectible: true).LoadFromStream(image);
    }

    /// <summary>Compiles into a file.</summary>
    public void Save(string path)
    {
        using FileStream image = File.Create(path);
        Emit(image);
    }

    private void Emit(Stream image)
    {
        Assert.Null(Exception);
        Diagnostic[] problems = [.. _output.GetDiagnostics().Where(static diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning)];
        Assert.True(problems.Length == 0, string.Join('\n', problems.Take(10)));
        Assert.True(_output.Emit(image).Success);
    }

    /// <summary>Puts a pipeline before the table of a datapath, as <see cref="DatapathPipelines.UsePipeline"/> does.</summary>
    public static DatapathPipeline Use(Datapath datapath, Type pipeline) => (DatapathPipeline)typeof(DatapathPipelines)
        .GetMethod(nameof(DatapathPipelines.UsePipeline))!.MakeGenericMethod(pipeline).Invoke(null, [datapath])!;

    private void Run() => _driver = _driver.RunGeneratorsAndUpdateCompilation(_input, out _output, out _);

    private sealed class FlowsText(string path, string content) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(content);
    }
}
