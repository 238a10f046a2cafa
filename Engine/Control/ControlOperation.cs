namespace Engine.Control;

/// <summary>One command of a family.</summary>
/// <param name="Command">Its number.</param>
/// <param name="IsRestricted">Whether only an administrator of the network namespace may give it (GENL_UNS_ADMIN_PERM).</param>
/// <param name="CanDo">Whether it does something or answers one thing.</param>
/// <param name="CanDump">Whether it lists all there is.</param>
internal sealed record ControlOperation(byte Command, bool IsRestricted, bool CanDo, bool CanDump)
{
    private const uint DoFlag = 2, DumpFlag = 4, HasPolicyFlag = 8, RestrictedFlag = 16;

    /// <summary>A command that only an administrator may give.</summary>
    public static ControlOperation Restricted(byte command) => new(command, true, true, false);

    /// <summary>A command that anyone may give.</summary>
    public static ControlOperation Open(byte command, bool canDump = false) => new(command, false, true, canDump);

    /// <summary>GENL_* flags as CTRL_ATTR_OP_FLAGS carries them.</summary>
    public uint Flags => (CanDo ? DoFlag : 0) | (CanDump ? DumpFlag : 0) | HasPolicyFlag | (IsRestricted ? RestrictedFlag : 0);
}
