using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Engine.Annotations;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Actions;

// Headers on and off.
internal sealed partial class ActionCompiler
{
    private const ushort TransparentEthernet = 0x6558;

    [Action(OvsActionAttribute.PushVlan, "push_vlan", Length = 4)]
    private Refusal CompilePushVlan(in NetlinkAttribute action, ref PacketShape shape)
    {
        ushort tpid = BinaryPrimitives.ReadUInt16BigEndian(action.Payload);
        ushort tci = BinaryPrimitives.ReadUInt16BigEndian(action.Payload[2..]);
        if (!shape.HasEthernet)
        {
            return Refusal.Invalid("Push_vlan needs an Ethernet header", action.Offset);
        }

        if (tpid is not (0x8100 or 0x88a8))
        {
            return Refusal.Invalid($"Push_vlan: the TPID is 0x8100 or 0x88a8, not 0x{tpid:x}", action.Offset);
        }

        if ((tci & VlanCfi) == 0)
        {
            return Refusal.Invalid("Push_vlan: the TCI must have the CFI bit set", action.Offset);
        }

        shape.VlanTci = tci;

        // What goes into the packet has that bit clear.
        uint tag = MemoryMarshal.Read<uint>(action.Payload);
        uint cfi = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness((uint)VlanCfi) : VlanCfi;
        return Add(action, new ActionStep { Opcode = ActionOpcode.PushVlan, Argument = tag & ~cfi });
    }

    [Action(OvsActionAttribute.PopVlan, "pop_vlan", Length = 0)]
    private Refusal CompilePopVlan(in NetlinkAttribute action, ref PacketShape shape)
    {
        if (!shape.HasEthernet)
        {
            return Refusal.Invalid("Pop_vlan needs an Ethernet header", action.Offset);
        }

        shape.VlanTci = 0;
        return Add(action, new ActionStep { Opcode = ActionOpcode.PopVlan });
    }

    [Action(OvsActionAttribute.PushMpls, "push_mpls", Length = 8)]
    private Refusal CompilePushMpls(in NetlinkAttribute action, ref PacketShape shape)
    {
        ushort etherType = BinaryPrimitives.ReadUInt16BigEndian(action.Payload[4..]);
        if (!PacketShape.IsMplsType(etherType))
        {
            return Refusal.Invalid($"Push_mpls: the type is 0x8847 or 0x8848, not 0x{etherType:x}", action.Offset);
        }

        if (!shape.TakesMpls)
        {
            return Refusal.Invalid($"Push_mpls in front of type 0x{shape.EtherType:x}, or behind a tag", action.Offset);
        }

        shape.EtherType = etherType;
        shape.MplsLabels++;
        return Add(action, MplsStep(ActionOpcode.PushMpls, action.Payload));
    }

    [Action(OvsActionAttribute.AddMpls, "add_mpls", Length = 8)]
    private Refusal CompileAddMpls(in NetlinkAttribute action, ref PacketShape shape)
    {
        ushort etherType = BinaryPrimitives.ReadUInt16BigEndian(action.Payload[4..]);
        bool isBehindEthernet = (MemoryMarshal.Read<ushort>(action.Payload[6..]) & MplsBehindEthernet) != 0;
        if (!PacketShape.IsMplsType(etherType))
        {
            return Refusal.Invalid($"Add_mpls: the type is 0x8847 or 0x8848, not 0x{etherType:x}", action.Offset);
        }

        if (isBehindEthernet)
        {
            if (!shape.TakesMpls)
            {
                return Refusal.Invalid($"Add_mpls in front of type 0x{shape.EtherType:x}, or behind a tag", action.Offset);
            }

            shape.MplsLabels++;
        }
        else
        {
            shape.MplsLabels = shape.HasEthernet ? 1 : shape.MplsLabels + 1;
            shape.HasEthernet = false;
        }

        shape.EtherType = etherType;
        return Add(action, MplsStep(isBehindEthernet ? ActionOpcode.PushMpls : ActionOpcode.AddMpls, action.Payload));
    }

    private static ActionStep MplsStep(ActionOpcode opcode, ReadOnlySpan<byte> payload) =>
        new() { Opcode = opcode, Argument = MemoryMarshal.Read<uint>(payload), Small = MemoryMarshal.Read<ushort>(payload[4..]) };

    [Action(OvsActionAttribute.PopMpls, "pop_mpls", Length = 2)]
    private Refusal CompilePopMpls(in NetlinkAttribute action, ref PacketShape shape)
    {
        ushort etherType = BinaryPrimitives.ReadUInt16BigEndian(action.Payload);
        if (shape.HasVlan || !shape.IsMpls)
        {
            return Refusal.Invalid($"Pop_mpls from type 0x{shape.EtherType:x}, or behind a tag", action.Offset);
        }

        if (etherType == TransparentEthernet && shape.HasEthernet)
        {
            return Refusal.Invalid("Pop_mpls to an Ethernet header where there is one", action.Offset);
        }

        // What stands behind the last label is unknown, so nothing behind it can be set before a recirculation.
        shape.MplsLabels--;
        shape.EtherType = PacketShape.IsMplsType(etherType) && shape.MplsLabels != 0 ? etherType : (ushort)0;
        return Add(action, new ActionStep { Opcode = ActionOpcode.PopMpls, Small = MemoryMarshal.Read<ushort>(action.Payload) });
    }

    [Action(OvsActionAttribute.PushEthernet, "push_eth", Length = 12)]
    private Refusal CompilePushEthernet(in NetlinkAttribute action, ref PacketShape shape)
    {
        if (shape.HasEthernet)
        {
            return Refusal.Invalid("Push_eth where there is an Ethernet header", action.Offset);
        }

        shape.HasEthernet = true;

        // struct ovs_key_ethernet has the source first, the packet the destination.
        int offset = AppendAligned(action.Payload[6..]);
        _arguments.Append(action.Payload[..6]);
        return Add(action, new ActionStep { Opcode = ActionOpcode.PushEthernet, Offset = offset });
    }

    [Action(OvsActionAttribute.PopEthernet, "pop_eth", Length = 0)]
    private Refusal CompilePopEthernet(in NetlinkAttribute action, ref PacketShape shape)
    {
        if (!shape.HasEthernet || shape.HasVlan)
        {
            return Refusal.Invalid("Pop_eth needs an Ethernet header without a tag", action.Offset);
        }

        shape.HasEthernet = false;
        return Add(action, new ActionStep { Opcode = ActionOpcode.PopEthernet });
    }

    [Action(OvsActionAttribute.PushNsh, "push_nsh")]
    private Refusal CompilePushNsh(in NetlinkAttribute action, ref PacketShape shape)
    {
        if (!shape.HasEthernet && NshProtocol.FromEtherType(shape.EtherType) == 0)
        {
            return Refusal.Invalid($"Push_nsh in front of type 0x{shape.EtherType:x}", action.Offset);
        }

        shape.HasEthernet = false;
        Span<byte> header = stackalloc byte[NshProtocol.MaximumHeaderSize];
        Refusal refusal = NshProtocol.TryBuild(action, header, out int size);
        return refusal.IsRefused
            ? refusal
            : Add(action, new ActionStep { Opcode = ActionOpcode.PushNsh, Offset = AppendAligned(header[..size]), Small = (ushort)size });
    }

    [Action(OvsActionAttribute.PopNsh, "pop_nsh", Length = 0)]
    private Refusal CompilePopNsh(in NetlinkAttribute action, ref PacketShape shape)
    {
        if (shape.EtherType != NshProtocol.EtherType || NshProtocol.ToEtherType(_key.NshNextProtocol) == 0)
        {
            return Refusal.Invalid("Pop_nsh needs an NSH header in front of a known protocol", action.Offset);
        }

        shape.HasEthernet = _key.NshNextProtocol == NshProtocol.Ethernet;
        return Add(action, new ActionStep { Opcode = ActionOpcode.PopNsh });
    }
}
