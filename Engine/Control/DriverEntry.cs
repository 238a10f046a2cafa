namespace Engine.Control;

/// <summary>How the device of a port is driven, as a server tells it.</summary>
/// <param name="Port">Number of the port.</param>
/// <param name="Driver">The driver and its mode.</param>
/// <param name="Reason">Why a better one was not taken, or null.</param>
public sealed record DriverEntry(uint Port, string Driver, string? Reason);
