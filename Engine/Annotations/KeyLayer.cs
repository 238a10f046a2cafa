namespace Engine.Annotations;

/// <summary>Where a key attribute stands in a netlink key: the kernel writes the layers in this order.</summary>
public enum KeyLayer
{
    /// <summary>What came with the packet: ports, marks, tunnel, conntrack.</summary>
    Metadata,

    /// <summary>Ethernet addresses, tags and type: nested in each other, so written by hand.</summary>
    Link,

    /// <summary>Network and transport headers, inside the innermost ENCAP.</summary>
    Headers,
}
