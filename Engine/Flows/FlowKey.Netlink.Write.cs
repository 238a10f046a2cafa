using System.Numerics;
using System.Runtime.InteropServices;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Flows;

// Writing of keys and masks.
public partial struct FlowKey
{
    /// <summary>Writes the attributes of a key in the kernel's order (<c>ovs_nla_put_key</c>).</summary>
    /// <param name="key">The key.</param>
    /// <param name="writer">Overflows when the buffer is too small; 1,024 bytes always do.</param>
    public static void WriteNetlink(in FlowKey key, ref NetlinkWriter writer) => WriteNetlink(in key, in key, isMask: false, ref writer);

    /// <summary>Writes the attributes of a mask (<c>ovs_nla_put_mask</c>): those that the key has, with the bits of the mask.</summary>
    /// <param name="key">The key of the flow, masked: an attribute whose condition is wildcarded is left out, as the kernel does.</param>
    /// <param name="mask">Its mask.</param>
    /// <param name="writer">Overflows when the buffer is too small; 1,024 bytes always do.</param>
    public static void WriteNetlinkMask(in FlowKey key, in FlowKey mask, ref NetlinkWriter writer) =>
        WriteNetlink(in key, in mask, isMask: true, ref writer);

    private static void WriteNetlink(in FlowKey key, in FlowKey output, bool isMask, ref NetlinkWriter writer)
    {
        WriteMetadataAttributes(in key, in output, isMask, ref writer);
        int outer = -1;
        int inner = -1;
        if (WriteLink(in key, in output, isMask, ref outer, ref inner, ref writer))
        {
            WriteHeadersAttributes(in key, in output, isMask, ref writer);
        }

        if (inner >= 0)
        {
            writer.EndNested(inner);
        }

        if (outer >= 0)
        {
            writer.EndNested(outer);
        }
    }

    // Ethernet, tags and type. Returns false when nothing follows: a cut or third tag, or LLC.
    private static bool WriteLink(in FlowKey key, in FlowKey output, bool isMask, ref int outer, ref int inner, ref NetlinkWriter writer)
    {
        ushort etherType = key.EtherType.Value;
        if (key.MacProtocol == MacProtocolEthernet)
        {
            WriteEthernet(in output, ref writer);
            if (key.VlanTci.Raw != 0 || IsVlan(etherType))
            {
                outer = WriteTag(output.VlanTpid, output.VlanTci, isMask, ref writer);
                if (key.VlanTci.Raw == 0)
                {
                    return false;
                }

                if (key.InnerVlanTci.Raw != 0 || IsVlan(etherType))
                {
                    inner = WriteTag(output.InnerVlanTpid, output.InnerVlanTci, isMask, ref writer);
                    if (key.InnerVlanTci.Raw == 0)
                    {
                        return false;
                    }
                }
            }

            if (etherType == EtherTypeLlc)
            {
                // LLC frames have no EtherType in the key; 0xffff in the mask says that this matters.
                if (isMask && output.EtherType.Raw != 0)
                {
                    writer.Put((int)OvsKeyAttribute.EtherType, in output.EtherType);
                }

                return false;
            }
        }

        writer.Put((int)OvsKeyAttribute.EtherType, in output.EtherType);
        return !IsVlan(etherType);
    }

    // A tag and the start of what is inside; returns the token to end it with.
    private static int WriteTag(Be16 tpid, Be16 tci, bool isMask, ref NetlinkWriter writer)
    {
        writer.Put((int)OvsKeyAttribute.EtherType, isMask ? new Be16(0xffff) : tpid);
        writer.Put((int)OvsKeyAttribute.Vlan, in tci);
        return writer.BeginNested((int)OvsKeyAttribute.Encap);
    }

    private static void WriteInPort(in FlowKey key, in FlowKey output, bool isMask, ref NetlinkWriter writer)
    {
        if (key.InPort == NoInPort)
        {
            // No port is no attribute, unless the mask says that this matters.
            if (isMask && (ushort)output.InPort == 0xffff)
            {
                writer.Put((int)OvsKeyAttribute.InPort, uint.MaxValue);
            }

            return;
        }

        // The kernel keeps 16 bits and fills the others up.
        writer.Put((int)OvsKeyAttribute.InPort, isMask ? 0xffff0000 | output.InPort : output.InPort);
    }

    private static void WriteMpls(in FlowKey key, in FlowKey output, bool isMask, ref NetlinkWriter writer)
    {
        int count = BitOperations.PopCount(output.MplsLabelsMask);
        Span<byte> payload = writer.Put((int)OvsKeyAttribute.Mpls, count * 4);
        if (!payload.IsEmpty)
        {
            MemoryMarshal.AsBytes<Be32>([output.MplsLabel0, output.MplsLabel1, output.MplsLabel2])[..payload.Length].CopyTo(payload);
        }
    }
}
