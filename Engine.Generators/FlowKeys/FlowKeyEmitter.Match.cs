namespace Engine.Generators.FlowKeys;

internal static partial class FlowKeyEmitter
{
    /// <summary>Masked hash, compare and copy.</summary>
    public static string EmitMatch(FlowKeySpec spec) => Begin(spec).ToString();
}
