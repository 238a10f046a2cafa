using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Engine.Tests.Architecture;

/// <summary>Imports in Engine point one way.</summary>
public sealed class LayerTests
{
    [Fact]
    public void Every_file_imports_only_from_lower_layers()
    {
        List<string> breaches = [];
        foreach (string path in Repository.SourcesOf("Engine"))
        {
            string folder = path.Contains('/', StringComparison.Ordinal) ? path[..path.IndexOf('/', StringComparison.Ordinal)] : string.Empty;
            breaches.AddRange(Layers.Breaches(folder, Layers.Parse(path)).Select(breach => $"{path}: {breach}"));
        }

        Assert.True(breaches.Count == 0, string.Join('\n', breaches));
    }

    [Theory]
    [InlineData("Flows", "using Engine.Packets;", false)]
    [InlineData("Packets", "using Engine.Flows;", true)]
    [InlineData("Actions", "using Engine.Vports;", true)] // Same layer.
    [InlineData("Actions", "using static Engine.Datapaths.Datapath;", true)]
    [InlineData("Actions", "using Table = Engine.Datapaths.Datapath;", true)]
    [InlineData("Actions", "using global::Engine.Text;", true)]
    [InlineData("Actions", "namespace Engine.Actions; class C { Engine.Vports.Vport? port; }", true)]
    [InlineData("Actions", "namespace Engine.Actions; class C { Vports.Vport? port; }", true)]
    [InlineData("Actions", "namespace Engine.Actions; class C { int i = Engine.Vports.Vport.Count; }", true)]
    [InlineData("Actions", "namespace Engine.Actions; class C { int i = Flow.Actions.Length; Flows.FlowKey key; }", false)]
    [InlineData("Actions", "/* using Engine.Vports; */", false)]
    [InlineData("Elsewhere", "", true)]
    public void A_breach_is_seen_in_every_way_of_naming_a_folder(string folder, string source, bool isBreach) =>
        Assert.Equal(isBreach, Layers.Breaches(folder, CSharpSyntaxTree.ParseText(source)).Any());
}
