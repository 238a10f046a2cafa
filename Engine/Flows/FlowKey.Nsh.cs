using System.Runtime.InteropServices;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Flows;

// The nested attributes of the network service header: the kernel's nsh_key_put_from_nlattr and nsh_key_to_nlattr.
public partial struct FlowKey
{
    private const byte NshMetadataType1 = 1;
    private const int NshBaseSize = 8;
    private const int NshMd1Size = 16;

    private static void WriteNsh(in FlowKey key, in FlowKey output, bool isMask, ref NetlinkWriter writer)
    {
        int nested = writer.BeginNested((int)OvsKeyAttribute.Nsh);
        ReadOnlySpan<byte> header = MemoryMarshal.AsBytes(new ReadOnlySpan<FlowKey>(in output)).Slice(NshSegmentOffset, NshSegmentSize);

        // The segment has the layout of the two payloads.
        writer.Put((int)OvsNshKeyAttribute.Base, header[..NshBaseSize]);
        if (isMask || output.NshMdType == NshMetadataType1)
        {
            writer.Put((int)OvsNshKeyAttribute.Md1, header[NshBaseSize..]);
        }

        writer.EndNested(nested);
    }

    private static Refusal ParseNsh(ReadOnlySpan<byte> payload, int offset, bool isMask, in FlowKey key, ref FlowKey target)
    {
        Span<byte> header = MemoryMarshal.AsBytes(new Span<FlowKey>(ref target)).Slice(NshSegmentOffset, NshSegmentSize);
        byte metadataType = 0;
        bool hasMd1 = false;
        int end = 0;
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(payload, offset))
        {
            end = attribute.Offset - offset + NetlinkAttribute.HeaderSize + attribute.Payload.Length;
            int expected = (OvsNshKeyAttribute)attribute.Type switch
            {
                OvsNshKeyAttribute.Base => NshBaseSize,
                OvsNshKeyAttribute.Md1 => NshMd1Size,
                OvsNshKeyAttribute.Md2 => attribute.Payload.Length,
                _ => -1,
            };
            if (expected < 0)
            {
                return Refusal.Invalid($"nsh attribute {attribute.Type} is unknown", attribute.Offset);
            }

            if (attribute.Payload.Length != expected)
            {
                return Refusal.Invalid($"nsh attribute {attribute.Type} has {attribute.Payload.Length} bytes instead of {expected}", attribute.Offset);
            }

            switch ((OvsNshKeyAttribute)attribute.Type)
            {
                case OvsNshKeyAttribute.Base:
                    attribute.Payload.CopyTo(header);
                    metadataType = attribute.Payload[2];
                    break;
                case OvsNshKeyAttribute.Md1:
                    attribute.Payload.CopyTo(header[NshBaseSize..]);
                    hasMd1 = true;
                    break;
                default:
                    return Refusal.Invalid("nsh with metadata type 2 cannot be matched", attribute.Offset);
            }
        }

        if (payload.Length - ((end + 3) & ~3) > 0)
        {
            return Refusal.Invalid("nsh ends in bytes that are no attribute", offset + end);
        }

        return !isMask && hasMd1 && metadataType != NshMetadataType1
            ? Refusal.Invalid($"nsh has context headers of metadata type 1 but mdtype {metadataType}", offset)
            : Refusal.None;
    }
}
