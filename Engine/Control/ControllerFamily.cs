using System.Collections.Immutable;
using System.Text;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Control;

/// <summary><c>nlctrl</c>: tells which families there are, by name or number, with their commands, groups and policies (linux/genetlink.h).</summary>
internal sealed class ControllerFamily : ControlFamily
{
    /// <summary>GENL_ID_CTRL.</summary>
    public const ushort ControllerId = 0x10;

    private const byte NewFamily = 1, GetFamily = 3, GetPolicy = 10;

    private static readonly ImmutableArray<NetlinkPolicy> RequestPolicies = ControllerAttributes.Policies;

    private readonly ControlServer _server;

    public ControllerFamily(ControlServer server)
        : base(ControllerId, "nlctrl", 2, 0, RequestPolicies)
    {
        _server = server;
        GroupName = "notify";
        Group = ControllerId;
    }

    /// <inheritdoc/>
    /// <remarks>Each of its commands has attributes of its own, so the family as a whole has none.</remarks>
    public override int MaximumAttribute => 0;

    /// <inheritdoc/>
    public override ImmutableArray<ControlOperation> Operations { get; } =
    [
        ControlOperation.Open(GetFamily, canDump: true),
        new ControlOperation(GetPolicy, false, false, true),
    ];

    /// <inheritdoc/>
    public override Errno Do(in ControlRequest request, ref ExtendedAck ack)
    {
        Errno errno = Find(in request, ref ack, out ControlFamily? family);
        if (errno != Errno.None)
        {
            return errno;
        }

        NetlinkWriter writer = _server.BeginReply();
        WriteFamily(ref writer, request.Answer, family!, 0);
        request.Client.Send(writer.Written);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno StartDump(in ControlRequest request, ref ExtendedAck ack, out ControlDump? dump)
    {
        dump = null;
        if (request.Generic.Command == GetFamily)
        {
            // The engine's own family is found by name only: the list is the kernel's.
            dump = new ListDump<ControlFamily>(request.Answer, [.. _server.Families.Where(static family => family is not EngineFamily)], WriteFamily);
            return Errno.None;
        }

        Errno errno = Find(in request, ref ack, out ControlFamily? family);
        if (errno != Errno.None)
        {
            return errno;
        }

        // First which policy each command has, then what the one policy says.
        List<(ControlOperation? Operation, int Attribute)> lines = [];
        lines.AddRange(family!.Operations.Select(static operation => ((ControlOperation?)operation, 0)));
        for (int i = 1; i < family.Policies.Length; i++)
        {
            if (family.Policies[i].IsDescribed)
            {
                lines.Add((null, i));
            }
        }

        dump = new ListDump<(ControlOperation? Operation, int Attribute)>(request.Answer, lines, (ref writer, target, line, flags) =>
            WritePolicy(ref writer, target, family, line.Operation, line.Attribute, flags));
        return Errno.None;
    }

    private Errno Find(in ControlRequest request, ref ExtendedAck ack, out ControlFamily? family)
    {
        family = null;
        Errno errno = ControllerAttributes.TryParse(request.Attributes, request.AttributesOffset, ref ack, out ControllerAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!attributes.HasFamilyId && !attributes.HasFamilyName)
        {
            return Errno.InvalidArgument;
        }

        string? name = attributes.HasFamilyName ? Encoding.UTF8.GetString(attributes.FamilyName) : null;
        int id = attributes.HasFamilyId ? attributes.FamilyId : -1;
        family = _server.Families.FirstOrDefault(other => name is not null ? other.Name == name : other.Id == id);
        return family is null ? Errno.NoEntry : Errno.None;
    }

    // The kernel's ctrl_fill_info.
    private static void WriteFamily(ref NetlinkWriter writer, MessageTarget target, ControlFamily family, ushort flags)
    {
        const int OperationId = 1, OperationFlags = 2, GroupNameAttribute = 1, GroupId = 2;
        int start = target.Begin(ref writer, NewFamily, 0, flags);
        writer.PutControllerFamilyName(family.Name);
        writer.PutControllerFamilyId(family.Id);
        writer.PutControllerVersion(family.Version);
        writer.PutControllerHeaderSize((uint)family.HeaderSize);
        writer.PutControllerMaximumAttribute((uint)family.MaximumAttribute);
        int list = writer.BeginControllerOperations();
        for (int i = 0; i < family.Operations.Length; i++)
        {
            int item = writer.BeginNested(i + 1);
            writer.Put(OperationId, (uint)family.Operations[i].Command);
            writer.Put(OperationFlags, family.Operations[i].Flags);
            writer.EndNested(item);
        }

        writer.EndNested(list);
        if (family.GroupName is not null)
        {
            list = writer.BeginControllerMulticastGroups();
            int item = writer.BeginNested(1);
            writer.Put(GroupId, family.Group);
            writer.PutString(GroupNameAttribute, family.GroupName);
            writer.EndNested(item);
            writer.EndNested(list);
        }

        writer.EndMessage(start);
    }

    private static void WritePolicy(ref NetlinkWriter writer, MessageTarget target, ControlFamily family, ControlOperation? operation, int attribute, ushort flags)
    {
        const int PolicyOfDo = 1;
        int start = target.Begin(ref writer, GetPolicy, 0, flags);
        writer.PutControllerFamilyId(family.Id);
        if (operation is not null)
        {
            int list = writer.BeginNested((int)ControllerAttribute.OperationPolicy | NetlinkAttribute.NestedFlag);
            int item = writer.BeginNested(operation.Command | NetlinkAttribute.NestedFlag);
            writer.Put(PolicyOfDo, 0u);
            writer.EndNested(item);
            writer.EndNested(list);
        }
        else
        {
            int list = writer.BeginNested((int)ControllerAttribute.Policy | NetlinkAttribute.NestedFlag);
            int policy = writer.BeginNested(0 | NetlinkAttribute.NestedFlag);
            int item = writer.BeginNested(attribute | NetlinkAttribute.NestedFlag);
            family.Policies[attribute].Write(ref writer);
            writer.EndNested(item);
            writer.EndNested(policy);
            writer.EndNested(list);
        }

        writer.EndMessage(start);
    }
}
