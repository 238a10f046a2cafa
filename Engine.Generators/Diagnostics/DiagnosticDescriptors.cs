using Microsoft.CodeAnalysis;

namespace Engine.Generators.Diagnostics;

/// <summary>Every diagnostic of the generators. Ids are stable; ENG00xx flow keys, ENG01xx protocol headers, ENG02xx actions.</summary>
internal static class DiagnosticDescriptors
{
    private const string FlowKeyCategory = "Engine.FlowKey";
    private const string NetlinkCategory = "Engine.Netlink";
    private const string HeaderCategory = "Engine.ProtocolHeader";
    private const string ActionCategory = "Engine.Action";

    /// <summary>The marked struct cannot be extended.</summary>
    public static readonly DiagnosticDescriptor FlowKeyNotPartial = Error(
        "ENG0001", "A flow key must be a partial struct", "'{0}' is marked [FlowKey] but is not partial; add 'partial'");

    /// <summary>The fields do not add up to the stated size.</summary>
    public static readonly DiagnosticDescriptor FlowKeyWrongSize = Error(
        "ENG0002", "The size of a flow key must be the sum of its fields", "The fields of '{0}' take {1} bytes but [FlowKey] states {2}; correct the size or the padding");

    /// <summary>A segment does not end on a word.</summary>
    public static readonly DiagnosticDescriptor SegmentNotWholeWords = Error(
        "ENG0003", "A segment must be a multiple of 8 bytes", "Segment '{0}' takes {1} bytes; add padding fields of {2} bytes at its end");

    /// <summary>The core is not one cache line.</summary>
    public static readonly DiagnosticDescriptor CoreNotOneCacheLine = Error(
        "ENG0004", "The core segment must be 64 bytes", "The core segment '{0}' takes {1} bytes; it must be the first segment and exactly 64 bytes");

    /// <summary>Segment bits and places disagree.</summary>
    public static readonly DiagnosticDescriptor SegmentOutOfOrder = Error(
        "ENG0005", "Segments must stand in the order of their bits", "Segment '{0}' has value {1} but the one at this place has {2}; move it or renumber the enum");

    /// <summary>The first field starts no segment.</summary>
    public static readonly DiagnosticDescriptor MissingCore = Error(
        "ENG0006", "The first field must start the core segment", "Field '{0}' is in no segment; mark it [Segment] with the member of value 0");

    /// <summary>The size of a field's type is unknown.</summary>
    public static readonly DiagnosticDescriptor FieldWithoutSize = Error(
        "ENG0007", "A field of a flow key must have a fixed size", "The type of field '{0}' has no fixed size; use integers, enums, or structs of them");

    /// <summary>A part names an attribute that is not declared on the struct.</summary>
    public static readonly DiagnosticDescriptor UnknownKeyAttribute = Error(
        "ENG0008", "A key part must name a declared attribute", "Field '{0}' is a part of '{1}', which no [KeyAttribute] of the struct declares");

    /// <summary>A part lies outside its payload.</summary>
    public static readonly DiagnosticDescriptor PartOutsidePayload = Error(
        "ENG0009", "A key part must lie inside its payload", "Part '{0}' of '{1}' ends at byte {2} but the payload has {3}; correct Offset or Size");

    /// <summary>An attribute is declared twice.</summary>
    public static readonly DiagnosticDescriptor DuplicateKeyAttribute = Error(
        "ENG0010", "A key attribute must be declared once", "'{0}' is declared twice; remove one [KeyAttribute]");

    /// <summary>Two parts of one payload overlap.</summary>
    public static readonly DiagnosticDescriptor OverlappingParts = Error(
        "ENG0011", "Key parts must not overlap", "Part '{0}' of '{1}' overlaps part '{2}'; correct Offset, Size, Shift or Bits");

    /// <summary>A condition names a field that is not there.</summary>
    public static readonly DiagnosticDescriptor UnknownConditionField = Error(
        "ENG0012", "A condition must name a field of the key", "'{0}' depends on field '{1}', which '{2}' does not have");

    /// <summary>A generated part needs a number that changes width.</summary>
    public static readonly DiagnosticDescriptor PartCannotChangeSize = Error(
        "ENG0013", "Only numbers can change their size", "Part '{0}' of '{1}' has {2} bytes in the payload and {3} in the key, but the field is not a number");

    /// <summary>The marked struct cannot be extended.</summary>
    public static readonly DiagnosticDescriptor HeaderNotPartial = Error(
        "ENG0101", "A protocol header must be a partial struct", "'{0}' is marked [ProtocolHeader] but is not a partial, not generic struct of a namespace; make it one", HeaderCategory);

    /// <summary>The fields do not add up to the stated size.</summary>
    public static readonly DiagnosticDescriptor HeaderWrongSize = Error(
        "ENG0102", "The size of a protocol header must be the sum of its fields", "The fields of '{0}' take {1} bytes but [ProtocolHeader] states {2}; correct the fields or the size", HeaderCategory);

    /// <summary>A field whose type says no byte order.</summary>
    public static readonly DiagnosticDescriptor HeaderFieldWithoutByteOrder = Error(
        "ENG0103", "A field of a protocol header must have a byte order", "Field '{0}' is a '{1}', which does not say how it stands on the wire; use byte, Be16, Be32, Be64, EthernetAddress, Ipv6Address or another protocol header", HeaderCategory);

    /// <summary>The marked property cannot be implemented.</summary>
    public static readonly DiagnosticDescriptor BitRangeNotPartial = Error(
        "ENG0104", "A bit range must be a partial property", "'{0}' is marked [BitRange] but is not a partial property with readonly get and set; declare it as 'partial ... {{ readonly get; set; }}'", HeaderCategory);

    /// <summary>A bit range names no field that has bits.</summary>
    public static readonly DiagnosticDescriptor BitRangeWithoutField = Error(
        "ENG0105", "A bit range must name a field", "Bit range '{0}' is part of '{1}', which is not a field of type byte, Be16, Be32 or Be64; correct the name", HeaderCategory);

    /// <summary>A bit range is empty or reaches beyond its field.</summary>
    public static readonly DiagnosticDescriptor BitRangeOutsideField = Error(
        "ENG0106", "A bit range must lie inside its field", "Bit range '{0}' does not lie inside the {2} bits of '{1}'; correct Shift or Width", HeaderCategory);

    /// <summary>A bit range has more bits than its property.</summary>
    public static readonly DiagnosticDescriptor BitRangeTooWide = Error(
        "ENG0107", "A bit range must fit its property", "Bit range '{0}' has {1} bits, which do not fit a '{2}'; use bool for one bit, else byte, ushort, uint or ulong", HeaderCategory);

    /// <summary>Two bit ranges of a field overlap.</summary>
    public static readonly DiagnosticDescriptor BitRangesOverlap = Error(
        "ENG0108", "Bit ranges must not overlap", "Bit range '{0}' overlaps '{1}' in '{2}'; correct Shift or Width", HeaderCategory);

    /// <summary>The marked class cannot be extended.</summary>
    public static readonly DiagnosticDescriptor ActionSetNotPartial = Error(
        "ENG0201", "A class of actions must be partial", "'{0}' is marked [ActionSet] but is not a partial, not generic class of a namespace; make it one", ActionCategory);

    /// <summary>Two methods for one action or one step.</summary>
    public static readonly DiagnosticDescriptor ActionDeclaredTwice = Error(
        "ENG0202", "An action must be declared once", "'{0}' is declared twice; remove one of the methods or correct its number", ActionCategory);

    /// <summary>The number is not a member of an enum.</summary>
    public static readonly DiagnosticDescriptor ActionWithoutNumber = Error(
        "ENG0203", "An action must have a number", "The number of '{0}' is not a member of an enum; name one", ActionCategory);

    /// <summary>The dispatch cannot pass a parameter.</summary>
    public static readonly DiagnosticDescriptor ActionUnknownParameter = Error(
        "ENG0204", "A method of an action takes what the dispatch has", "'{0}' has a parameter '{1}'; the dispatch passes only: {2}", ActionCategory);

    /// <summary>The dispatch cannot return what the method does.</summary>
    public static readonly DiagnosticDescriptor ActionWrongResult = Error(
        "ENG0205", "A method of an action returns what the dispatch does", "'{0}' returns '{1}'; it must return '{2}'", ActionCategory);

    /// <summary>The name cannot stand in text.</summary>
    public static readonly DiagnosticDescriptor ActionWithoutName = Error(
        "ENG0206", "An action must have a name", "The name of '{0}' is '{1}'; use lower-case letters, digits and underscores", ActionCategory);

    /// <summary>An enum member has no method.</summary>
    public static readonly DiagnosticDescriptor ActionMissing = Error(
        "ENG0207", "Every action must be declared", "No method of '{1}' is marked [Action] for '{0}'; add one", ActionCategory);

    /// <summary>The name of a set of netlink attributes gives no name to its reader.</summary>
    public static readonly DiagnosticDescriptor NetlinkSetName = Error(
        "ENG0301", "A set of netlink attributes must be named ...Attribute", "'{0}' is marked [NetlinkAttributes]; let its name end in 'Attribute'", NetlinkCategory);

    /// <summary>Numbers are not consecutive.</summary>
    public static readonly DiagnosticDescriptor NetlinkNumberGap = Error(
        "ENG0302", "Netlink attributes must be numbered from 0 without gaps", "'{0}' of '{1}' is out of sequence; declare the attributes before it, in the order of their numbers", NetlinkCategory);

    /// <summary>Nothing says what the attribute carries.</summary>
    public static readonly DiagnosticDescriptor NetlinkWithoutPayload = Error(
        "ENG0303", "A netlink attribute must say what it carries", "'{0}' has no [NetlinkPayload]; add one", NetlinkCategory);

    /// <summary>A range that no number can lie in.</summary>
    public static readonly DiagnosticDescriptor NetlinkBadRange = Error(
        "ENG0304", "A range needs a number and must not be empty", "'{0}' has a range but is no number, or its minimum is above its maximum", NetlinkCategory);

    /// <summary>A length where there is none.</summary>
    public static readonly DiagnosticDescriptor NetlinkBadLength = Error(
        "ENG0305", "Only bytes and strings have a length", "'{0}' states a length, but the length of {1} is fixed; remove it", NetlinkCategory);

    private static DiagnosticDescriptor Error(string id, string title, string message, string category = FlowKeyCategory) =>
        new(id, title, message, category, DiagnosticSeverity.Error, isEnabledByDefault: true);
}
