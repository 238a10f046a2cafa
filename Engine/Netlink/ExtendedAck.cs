namespace Engine.Netlink;

/// <summary>What an error message says beyond its errno (NLMSGERR_ATTR_*, linux/netlink.h): a sentence, where, and what would have been accepted.</summary>
public record struct ExtendedAck()
{
    /// <summary>The sentence (NLMSGERR_ATTR_MSG), or null.</summary>
    public string? Message { get; set; }

    /// <summary>Offset of the attribute at fault from the start of the message (NLMSGERR_ATTR_OFFS); 0 when it is none.</summary>
    public int Offset { get; set; }

    /// <summary>The policy that the attribute was held against (NLMSGERR_ATTR_POLICY), or null.</summary>
    public NetlinkPolicy? Policy { get; set; }

    /// <summary>Whether there is nothing to say.</summary>
    public readonly bool IsEmpty => Message is null && Offset == 0;

    /// <summary>Writes the attributes in the kernel's order.</summary>
    public readonly void Write(ref NetlinkWriter writer)
    {
        const int MessageAttribute = 1, OffsetAttribute = 2, PolicyAttribute = 4;
        if (Message is not null)
        {
            writer.PutString(MessageAttribute, Message);
        }

        if (Offset != 0)
        {
            writer.Put(OffsetAttribute, (uint)Offset);
        }

        if (Policy is { IsDescribed: true } policy)
        {
            int start = writer.BeginNested(PolicyAttribute | NetlinkAttribute.NestedFlag);
            policy.Write(ref writer);
            writer.EndNested(start);
        }
    }
}
