namespace Bench.Live;

/// <summary>Something that joins the two wires.</summary>
internal interface ILivePeer
{
    /// <summary>Its name in tables.</summary>
    string Name { get; }

    /// <summary>Whether ping and TCP go through it; false for what only forwards one way.</summary>
    bool IsSwitch { get; }

    /// <summary>Why it cannot run here, or null.</summary>
    string? Missing { get; }

    /// <summary>Joins the wires; undone when disposed.</summary>
    IDisposable Start(LiveNetwork network);
}
