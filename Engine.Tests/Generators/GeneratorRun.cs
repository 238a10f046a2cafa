using System.Collections.Immutable;
using Engine.Tests.Architecture;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Engine.Tests.Generators;

/// <summary>Runs one generator over source text, once or again after an edit, and holds what came out.</summary>
internal sealed class GeneratorRun
{
    private static readonly CSharpParseOptions s_parse = new(LanguageVersion.Latest, DocumentationMode.Diagnose);

    // The usings that the projects have by ImplicitUsings.
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        """;

    private GeneratorDriver _driver;
    private CSharpCompilation _output;

    private GeneratorRun(GeneratorDriver driver, CSharpCompilation input)
    {
        _driver = driver;
        Input = input;
        _output = input;
        Run();
    }

    /// <summary>What the generator was given.</summary>
    public CSharpCompilation Input { get; private set; }

    /// <summary>What the generator reported.</summary>
    public ImmutableArray<Diagnostic> Reported => _driver.GetRunResult().Diagnostics;

    /// <summary>Generated text by hint name.</summary>
    public IReadOnlyDictionary<string, string> Sources =>
        Result.GeneratedSources.ToDictionary(static source => source.HintName, static source => source.SourceText.ToString().ReplaceLineEndings("\n"), StringComparer.Ordinal);

    /// <summary>The steps of the last run.</summary>
    public GeneratorRunResult Result => _driver.GetRunResult().Results.Single();

    /// <summary>Warnings and errors of input and output together.</summary>
    public IEnumerable<Diagnostic> Problems => _output.GetDiagnostics().Where(static diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning);

    /// <summary>Runs over files of the project Engine, which then need nothing else of it.</summary>
    /// <param name="generator">The generator.</param>
    /// <param name="isTaken">Chooses files by their path from the project's folder.</param>
    public static GeneratorRun OverEngine(IIncrementalGenerator generator, Func<string, bool> isTaken) => Over(
        generator,
        Repository.SourcesOf("Engine").Where(isTaken).Select(static path => (path, File.ReadAllText(Path.Combine(Repository.Root, "Engine", path)))),
        withEngine: false);

    /// <summary>Runs over one file, <c>Sample.cs</c>.</summary>
    /// <param name="generator">The generator.</param>
    /// <param name="text">The file.</param>
    /// <param name="withEngine">Whether the file may use the public types of Engine; one that declares types of these names itself may not.</param>
    public static GeneratorRun OverText(IIncrementalGenerator generator, string text, bool withEngine = true) => Over(generator, [("Sample.cs", text)], withEngine);

    /// <summary>Asserts that the last run took everything from the run before: no step gave anything new, no file was written again.</summary>
    public void AssertNothingGeneratedAgain(string trackingName)
    {
        Assert.All(ReasonsOf(trackingName), static reason => Assert.True(reason is IncrementalStepRunReason.Unchanged or IncrementalStepRunReason.Cached, reason.ToString()));
        Assert.All(ReasonsOfOutputs(), static reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    /// <summary>Changes one file and runs again.</summary>
    public void Edit(string path, Func<string, string> change)
    {
        SyntaxTree old = Input.SyntaxTrees.Single(tree => tree.FilePath == path);
        string text = change(old.ToString());
        Assert.NotEqual(old.ToString(), text);
        Input = Input.ReplaceSyntaxTree(old, CSharpSyntaxTree.ParseText(text, s_parse, path));
        Run();
    }

    /// <summary>Adds a file and runs again.</summary>
    public void Add(string path, string text)
    {
        Input = Input.AddSyntaxTrees(CSharpSyntaxTree.ParseText(text, s_parse, path));
        Run();
    }

    /// <summary>Why each output of a step is there, in the last run.</summary>
    public IEnumerable<IncrementalStepRunReason> ReasonsOf(string trackingName) =>
        Result.TrackedSteps[trackingName].SelectMany(static step => step.Outputs).Select(static output => output.Reason);

    /// <summary>Why each generated file is there, in the last run.</summary>
    public IEnumerable<IncrementalStepRunReason> ReasonsOfOutputs() =>
        Result.TrackedOutputSteps.SelectMany(static step => step.Value).SelectMany(static step => step.Outputs).Select(static output => output.Reason);

    /// <summary>What a step gave, in the last run.</summary>
    public IEnumerable<T> ValuesOf<T>(string trackingName) =>
        Result.TrackedSteps[trackingName].SelectMany(static step => step.Outputs).Select(static output => (T)output.Value);

    private static GeneratorRun Over(IIncrementalGenerator generator, IEnumerable<(string Path, string Text)> files, bool withEngine)
    {
        IEnumerable<string> assemblies = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(static path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(path) is "netstandard.dll");
        if (withEngine)
        {
            assemblies = assemblies.Append(typeof(Engine.Flows.FlowKey).Assembly.Location);
        }

        CSharpCompilation input = CSharpCompilation.Create(
            "Generated",
            files.Append(("ImplicitUsings.cs", ImplicitUsings)).Select(static file => CSharpSyntaxTree.ParseText(file.Item2, s_parse, file.Item1)),
            assemblies.Select(static path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary,
                allowUnsafe: true,
                nullableContextOptions: NullableContextOptions.Enable,
                warningLevel: 9999));
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [generator.AsSourceGenerator()],
            parseOptions: s_parse,
            driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
        return new GeneratorRun(driver, input);
    }

    private void Run()
    {
        _driver = _driver.RunGeneratorsAndUpdateCompilation(Input, out Compilation output, out _);
        _output = (CSharpCompilation)output;
    }
}
