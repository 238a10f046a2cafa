using Engine.Flows;
using Engine.Packets;

namespace Engine.Actions;

/// <summary>What a worker needs to execute actions, allocated once: how deep it is, keys for nested lists, and the queue of deferred lists.</summary>
/// <remarks>Threads: one worker, one context.</remarks>
public sealed unsafe class ActionContext
{
    /// <summary>How many lists may execute inside each other (OVS_RECURSION_LIMIT).</summary>
    public const int RecursionLimit = 5;

    /// <summary>Levels at which a nested list gets a key of its own and executes at once; deeper ones are deferred (OVS_DEFERRED_ACTION_THRESHOLD).</summary>
    private const int KeyCount = RecursionLimit - 2;

    /// <summary>Deferred lists of one packet (DEFERRED_ACTION_FIFO_SIZE, of which the kernel leaves one unused).</summary>
    private const int DeferredCount = 10 - 1;

    private readonly FlowKey[] _keys = new FlowKey[KeyCount];
    private readonly Deferred[] _deferred = new Deferred[DeferredCount];
    private int _deferredHead;
    private int _deferredTail;

    /// <summary>Lists that execute inside each other now.</summary>
    internal int Level { get; set; }

    /// <summary>Whether no deferred list waits.</summary>
    internal bool HasNoDeferred => _deferredHead == _deferredTail;

    /// <summary>Whether there is a key for a nested list at this level.</summary>
    internal bool HasKey => Level <= KeyCount;

    /// <summary>Copies a key into the one for nested lists at this level.</summary>
    internal ref FlowKey CopyKey(in FlowKey key)
    {
        ref FlowKey copy = ref _keys[Level - 1];
        copy = key;
        return ref copy;
    }

    /// <summary>Puts a packet with its key at the end of the queue.</summary>
    /// <returns>Its place, for the caller to fill in; -1 when the queue is full.</returns>
    internal int Defer(Packet* packet, in FlowKey key, ActionList? list, int firstStep, int endStep)
    {
        if (_deferredHead == _deferred.Length)
        {
            return -1;
        }

        ref Deferred deferred = ref _deferred[_deferredHead];
        deferred.Packet = packet;
        deferred.Key = key;
        deferred.List = list;
        deferred.FirstStep = firstStep;
        deferred.EndStep = endStep;
        return _deferredHead++;
    }

    /// <summary>What stands at a place in the queue.</summary>
    internal ref Deferred DeferredAt(int place) => ref _deferred[place];

    /// <summary>Takes the oldest of the queue. Places are used again only after <see cref="ResetDeferred"/>, so it stays valid.</summary>
    internal ref Deferred NextDeferred() => ref _deferred[_deferredTail++];

    /// <summary>Makes all places free, once the queue is empty.</summary>
    internal void ResetDeferred() => _deferredHead = _deferredTail = 0;

    /// <summary>A packet whose list, or recirculation when there is none, was put off.</summary>
    internal struct Deferred
    {
        public Packet* Packet;
        public ActionList? List;
        public int FirstStep;
        public int EndStep;
        public FlowKey Key;
    }
}
