using Engine.Netlink;

namespace Engine.Actions;

/// <summary>Which actions a datapath accepts, as kernels differ in it.</summary>
/// <param name="MaximumAction">The highest OVS_ACTION_ATTR_* that is known; higher ones are refused with EINVAL.</param>
/// <param name="SymmetricHash">Whether the hash action takes OVS_HASH_ALG_SYM_L4.</param>
/// <param name="Conntrack">Whether ct is accepted; a kernel without connection tracking refuses it with an errno of its own; here it is EOPNOTSUPP.</param>
public sealed record ActionFeatures(OvsActionAttribute MaximumAction, bool SymmetricHash, bool Conntrack)
{
    /// <summary>All that this engine executes: everything but ct.</summary>
    public static ActionFeatures All { get; } = new(OvsActionAttribute.Drop, SymmetricHash: true, Conntrack: false);

    /// <summary>What Linux 6.1 accepts: no drop action, one hash algorithm, ct.</summary>
    public static ActionFeatures Linux61 { get; } = new(OvsActionAttribute.DecrementTtl, SymmetricHash: false, Conntrack: true);
}
