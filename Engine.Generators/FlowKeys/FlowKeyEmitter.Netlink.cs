namespace Engine.Generators.FlowKeys;

internal static partial class FlowKeyEmitter
{
    /// <summary>The netlink codec.</summary>
    public static string EmitNetlink(FlowKeySpec spec) => Begin(spec).ToString();
}
