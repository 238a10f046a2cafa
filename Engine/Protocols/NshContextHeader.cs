using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>NSH context header of metadata type 1, RFC 8300 section 2.4, after the <see cref="NshHeader"/>. 16 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------------------------------------------------------+
/// |                           Context 0                           |
/// +---------------------------------------------------------------+
/// |                           Context 1                           |
/// +---------------------------------------------------------------+
/// |                           Context 2                           |
/// +---------------------------------------------------------------+
/// |                           Context 3                           |
/// +---------------------------------------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 16)]
public partial struct NshContextHeader
{
    /// <summary>First word.</summary>
    public Be32 Context0;

    /// <summary>Second word.</summary>
    public Be32 Context1;

    /// <summary>Third word.</summary>
    public Be32 Context2;

    /// <summary>Fourth word.</summary>
    public Be32 Context3;
}
