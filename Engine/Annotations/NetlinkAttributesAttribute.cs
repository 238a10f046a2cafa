namespace Engine.Annotations;

/// <summary>Marks an enum as a set of netlink attributes; a reader with its policy and a writer are generated.</summary>
/// <remarks>For <c>FooAttribute</c> the reader is <c>FooAttributes</c> and the writer <c>FooAttributeWriter</c>. Each member but number 0 says what it carries with <see cref="NetlinkPayloadAttribute"/>.</remarks>
[AttributeUsage(AttributeTargets.Enum)]
public sealed class NetlinkAttributesAttribute : Attribute;
