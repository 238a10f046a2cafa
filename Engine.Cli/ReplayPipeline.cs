using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Engine.Datapaths;
using Engine.Pipelines;

namespace Engine.Cli;

/// <summary>Takes a compiled pipeline from an assembly.</summary>
internal static class ReplayPipeline
{
    /// <summary>Puts the pipeline of an assembly before the flow table.</summary>
    /// <exception cref="CommandFailure">The file is no assembly, or does not hold exactly one pipeline that is not static.</exception>
    public static DatapathPipeline Use(string path, Datapath datapath)
    {
        try
        {
            Type[] pipelines = PipelinesOf(path);
            return pipelines.Length == 1
                ? Use(pipelines[0], datapath)
                : throw Failure(path, pipelines.Length == 0 ? "no class in it is a [Pipeline] that is not static" : "several classes in it are pipelines");
        }
        catch (BadImageFormatException)
        {
            throw Failure(path, "it is no .NET assembly");
        }
        catch (Exception exception) when (CommandFailure.IsOfFile(exception))
        {
            throw CommandFailure.OfFile("read", path, exception);
        }
        catch (Exception exception) when (exception is TypeLoadException or MissingMemberException or ReflectionTypeLoadException or TargetInvocationException)
        {
            throw Failure(path, "it was built for another version of Engine: " + (exception.InnerException ?? exception).Message);
        }
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The assembly comes whole, and Engine is kept whole for it when engine is published.")]
    private static Type[] PipelinesOf(string path) =>
        [.. Assembly.LoadFrom(Path.GetFullPath(path)).GetTypes().Where(static type => type.IsClass && type.IsAssignableTo(typeof(IPipeline)))];

    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "The type argument has no requirements.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Where no assembly can be loaded, this is not reached.")]
    private static DatapathPipeline Use(Type pipeline, Datapath datapath) => (DatapathPipeline)typeof(DatapathPipelines)
        .GetMethod(nameof(DatapathPipelines.UsePipeline))!.MakeGenericMethod(pipeline).Invoke(null, [datapath])!;

    private static CommandFailure Failure(string path, string cause) => new(ExitCode.BadInput, $"engine: cannot use {path}: {cause}");
}
