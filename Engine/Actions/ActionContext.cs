namespace Engine.Actions;

/// <summary>What a worker needs to execute actions, allocated once: how deep it is, keys for nested lists, and the queue of deferred lists.</summary>
/// <remarks>Threads: one worker, one context.</remarks>
public sealed class ActionContext
{
    /// <summary>How many lists may execute inside each other (the kernel's OVS_RECURSION_LIMIT).</summary>
    public const int RecursionLimit = 5;
}
