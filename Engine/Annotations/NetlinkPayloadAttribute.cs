namespace Engine.Annotations;

/// <summary>Says what a netlink attribute carries and which payloads are refused (the kernel's <c>struct nla_policy</c>).</summary>
/// <param name="type">What it carries.</param>
[AttributeUsage(AttributeTargets.Field)]
public sealed class NetlinkPayloadAttribute(NetlinkType type) : Attribute
{
    /// <summary>What it carries.</summary>
    public NetlinkType Type { get; } = type;

    /// <summary>For <see cref="NetlinkType.Bytes"/> the fewest bytes, for <see cref="NetlinkType.NulString"/> the most characters; 0 for no limit.</summary>
    public int Length { get; set; }

    /// <summary>Smallest number that is accepted; only with <see cref="HasRange"/>.</summary>
    public long Minimum { get; set; }

    /// <summary>Largest number that is accepted; only with <see cref="HasRange"/>.</summary>
    public long Maximum { get; set; }

    /// <summary>Whether the number has to lie between <see cref="Minimum"/> and <see cref="Maximum"/>.</summary>
    public bool HasRange { get; set; }

    /// <summary>Whether a request may carry it in any form, because the kernel's policy leaves it out.</summary>
    public bool IsUnchecked { get; set; }
}
