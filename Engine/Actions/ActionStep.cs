using System.Runtime.InteropServices;

namespace Engine.Actions;

/// <summary>One step of a compiled list. 16 bytes; <see cref="ActionOpcode"/> says what the arguments mean.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ActionStep
{
    public ActionOpcode Opcode;
    public ActionStepFlags Flags;
    public ushort Small;
    public uint Argument;

    /// <summary>Where larger arguments start in <see cref="ActionList.Arguments"/>.</summary>
    public int Offset;

    /// <summary>How many of the following steps belong to the lists nested in this one.</summary>
    public int Nested;

    public readonly bool IsLast => (Flags & ActionStepFlags.Last) != 0;
}
