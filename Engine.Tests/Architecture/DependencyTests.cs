using System.Reflection;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Engine.Flows;

namespace Engine.Tests.Architecture;

/// <summary>Engine is used embedded: it depends on the runtime and nothing else.</summary>
public sealed class DependencyTests
{
    [Fact]
    public void Engine_refers_to_the_runtime_only()
    {
        string[] runtime = [.. Directory.EnumerateFiles(RuntimeEnvironment.GetRuntimeDirectory(), "*.dll").Select(file => Path.GetFileNameWithoutExtension(file)!)];
        AssemblyName[] references = typeof(FlowKey).Assembly.GetReferencedAssemblies();
        Assert.NotEmpty(references);
        Assert.All(references, reference => Assert.Contains(reference.Name, runtime));
    }

    [Fact]
    public void The_package_of_Engine_names_no_other_package()
    {
        XDocument project = XDocument.Load(Path.Combine(Repository.Root, "Engine", "Engine.csproj"));
        Assert.DoesNotContain(
            project.Descendants("PackageReference"),
            reference => !"all".Equals((string?)reference.Attribute("PrivateAssets"), StringComparison.OrdinalIgnoreCase));
    }
}
