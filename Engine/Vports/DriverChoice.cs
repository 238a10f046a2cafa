namespace Engine.Vports;

/// <summary>How a device is driven, for people to read.</summary>
/// <param name="Name">The driver: xdp, packet, uring, tap.</param>
/// <param name="Mode">How it works, for instance "native, copy"; empty when there is only one way.</param>
/// <param name="Reason">Why a better one was not taken, a sentence; null when this is the best.</param>
public sealed record DriverChoice(string Name, string Mode, string? Reason)
{
    /// <inheritdoc/>
    public override string ToString() => Mode.Length == 0 ? Name : $"{Name} ({Mode})";
}
