using System.Buffers.Binary;
using Engine.Netlink;

namespace Engine.Text;

/// <summary>The conntrack action: <c>ct(commit,zone=5,mark=0x1/0xff,nat(src=10.9.9.9:1000-2000))</c>.</summary>
internal static partial class ConntrackActionText
{
    // OVS_CT_ATTR_*, linux/openvswitch.h.
    private const int Commit = 1;
    private const int Zone = 2;
    private const int Mark = 3;
    private const int Labels = 4;
    private const int Helper = 5;
    private const int Nat = 6;
    private const int ForceCommit = 7;
    private const int Timeout = 9;

    // OVS_NAT_ATTR_*.
    private const int NatSource = 1;
    private const int NatDestination = 2;
    private const int NatMinimumAddress = 3;
    private const int NatMaximumAddress = 4;
    private const int NatMinimumPort = 5;
    private const int NatMaximumPort = 6;
    private const int NatPersistent = 7;
    private const int NatHash = 8;
    private const int NatRandom = 9;

    private const int LongestHelper = 15;
    private const int LongestTimeout = 31;

    /// <summary>Reads from behind <c>ct</c> to behind the closing parenthesis, if there is an opening one.</summary>
    public static bool TryRead(ref TextCursor cursor, ref NetlinkWriter actions, TextMap? map)
    {
        bool commit = false;
        bool force = false;
        ulong zone = 0;
        bool hasNat = false;
        string helper = "";
        string timeout = "";
        Arguments nat = default;
        Span<byte> mark = stackalloc byte[8];
        Span<byte> labels = stackalloc byte[32];
        mark.Clear();
        labels.Clear();
        if (cursor.TryTake('('))
        {
            cursor.SkipDelimiters();
            while (!cursor.TryTake(')'))
            {
                ReadOnlySpan<char> word = cursor.PeekWord();
                bool read = true;
                if (word.SequenceEqual("commit".AsSpan()))
                {
                    commit = true;
                    cursor.Position += word.Length;
                }
                else if (word.SequenceEqual("force_commit".AsSpan()))
                {
                    force = true;
                    cursor.Position += word.Length;
                }
                else if (cursor.TryField("zone"))
                {
                    read = cursor.TryNumber(0xffff, "\"zone=\"", out zone);
                }
                else if (cursor.TryField("mark"))
                {
                    read = TryReadMark(ref cursor, mark);
                }
                else if (cursor.TryField("label"))
                {
                    read = KeyValueText.TryReadLabels(ref cursor, "\"label=\"", labels[..16], labels[16..]);
                }
                else if (cursor.TryField("helper"))
                {
                    read = TryReadName(ref cursor, "helper", LongestHelper, out helper);
                }
                else if (cursor.TryField("timeout"))
                {
                    read = TryReadName(ref cursor, "timeout", LongestTimeout, out timeout);
                }
                else if (word.SequenceEqual("nat".AsSpan()))
                {
                    cursor.Position += word.Length;
                    hasNat = true;
                    read = TryReadNat(ref cursor, out nat);
                }
                else
                {
                    read = cursor.Fail("an argument of ct: commit, force_commit, zone=, mark=, label=, helper=, timeout=, nat");
                }

                if (!read || !cursor.NextField("ct"))
                {
                    return false;
                }
            }
        }

        if (commit && force)
        {
            return cursor.Fail("only one of commit and force_commit in ct");
        }

        int start = actions.BeginNested((int)OvsActionAttribute.Conntrack);
        if (commit || force)
        {
            actions.Put(commit ? Commit : ForceCommit, 0);
        }

        if (zone != 0)
        {
            actions.Put(Zone, (ushort)zone);
        }

        if (!KeyValueText.IsAll(mark[4..], 0))
        {
            actions.Put(Mark, mark);
        }

        if (!KeyValueText.IsAll(labels[16..], 0))
        {
            actions.Put(Labels, labels);
        }

        PutName(ref actions, Helper, helper);
        PutName(ref actions, Timeout, timeout);
        if (hasNat)
        {
            map?.Add(actions.Length, nat.Offset);
            PutNat(ref actions, in nat);
        }

        actions.EndNested(start);
        return true;
    }

    private static bool TryReadMark(ref TextCursor cursor, scoped Span<byte> mark)
    {
        uint mask = uint.MaxValue;
        if (!cursor.TryNumber(uint.MaxValue, "\"mark=\"", out uint value)
            || (cursor.TryTake('/') && !cursor.TryNumber(uint.MaxValue, "\"/\"", out mask)))
        {
            return false;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(mark, value);
        BinaryPrimitives.WriteUInt32LittleEndian(mark[4..], mask);
        return true;
    }

    private static bool TryReadName(ref TextCursor cursor, string field, int longest, out string name)
    {
        int length = 0;
        ReadOnlySpan<char> rest = cursor.Rest;
        while (length < rest.Length && !TextCursor.IsDelimiter(rest[length]) && rest[length] is not (')' or '('))
        {
            length++;
        }

        name = rest[..length].ToString();
        bool fits = length > 0 && length <= longest;
        foreach (char c in name)
        {
            fits &= c is > ' ' and <= '~';
        }

        if (!fits)
        {
            return cursor.Fail($"a name of 1 to {longest} characters after \"{field}=\"");
        }

        cursor.Position += length;
        return true;
    }

    // With the NUL that ends a string.
    private static void PutName(ref NetlinkWriter actions, int type, string name)
    {
        if (name.Length == 0)
        {
            return;
        }

        Span<byte> payload = actions.Put(type, name.Length + 1);
        for (int i = 0; i < payload.Length; i++)
        {
            payload[i] = i < name.Length ? (byte)name[i] : (byte)0;
        }
    }

    private static bool TryReadNat(ref TextCursor cursor, out Arguments nat)
    {
        nat = new Arguments { Offset = cursor.Position - 3, Addresses = new byte[32] };
        if (!cursor.TryTake('('))
        {
            return true;
        }

        cursor.SkipDelimiters();
        while (!cursor.TryTake(')'))
        {
            ReadOnlySpan<char> word = cursor.PeekWord();
            int start = cursor.Position;
            cursor.Position += word.Length;
            bool read = true;
            if (word.SequenceEqual("src".AsSpan()) || word.SequenceEqual("dst".AsSpan()))
            {
                nat.IsSource |= word[0] == 's';
                nat.IsDestination |= word[0] == 'd';
                read = !cursor.TryTake('=') || TryReadRange(ref cursor, ref nat);
            }
            else if (word.SequenceEqual("persistent".AsSpan()))
            {
                nat.IsPersistent = true;
            }
            else if (word.SequenceEqual("hash".AsSpan()))
            {
                nat.IsHash = true;
            }
            else if (word.SequenceEqual("random".AsSpan()))
            {
                nat.IsRandom = true;
            }
            else
            {
                read = cursor.Fail(start, "an argument of nat: src, dst, persistent, hash, random");
            }

            if (read && nat.IsSource && nat.IsDestination)
            {
                read = cursor.Fail(start, "only one of src and dst in nat");
            }

            if (read && nat.IsHash && nat.IsRandom)
            {
                read = cursor.Fail(start, "only one of hash and random in nat");
            }

            if (!read || !cursor.NextField("nat"))
            {
                return false;
            }
        }

        return nat.IsSource || nat.IsDestination || !(nat.IsPersistent || nat.IsHash || nat.IsRandom)
            || cursor.Fail(nat.Offset, "src or dst in nat with persistent, hash or random");
    }

    // ADDRESS[-ADDRESS][:PORT[-PORT]], an IPv6 address in brackets where a port follows.
    private static bool TryReadRange(ref TextCursor cursor, ref Arguments nat)
    {
        int start = cursor.Position;
        if (!TryTakeAddress(ref cursor, nat.Addresses, 0, out nat.AddressSize))
        {
            return cursor.Fail("an IPv4 or IPv6 address in nat");
        }

        if (cursor.TryTake('-'))
        {
            int second = cursor.Position;
            if (!TryTakeAddress(ref cursor, nat.Addresses, 16, out int size) || size != nat.AddressSize)
            {
                return cursor.Fail(second, $"an IPv{(nat.AddressSize == 4 ? 4 : 6)} address after \"-\"");
            }

            nat.HasMaximumAddress = true;
            if (nat.Addresses.AsSpan(0, size).SequenceCompareTo(nat.Addresses.AsSpan(16, size)) > 0)
            {
                return cursor.Fail(start, "a range of addresses that starts with the lower one");
            }
        }

        if (!cursor.TryTake(':'))
        {
            return true;
        }

        start = cursor.Position;
        if (!cursor.TryNumber(0xffff, "\":\"", out nat.MinimumPort)
            || (cursor.TryTake('-') && !cursor.TryNumber(0xffff, "\"-\"", out nat.MaximumPort)))
        {
            return false;
        }

        return nat.MaximumPort == 0 || nat.MaximumPort >= nat.MinimumPort || cursor.Fail(start, "a range of ports that starts with the lower one");
    }

    private static bool TryTakeAddress(ref TextCursor cursor, byte[] addresses, int offset, out int size)
    {
        size = 4;
        if (AddressText.TryTakeIpv4(ref cursor, addresses.AsSpan(offset, 4)))
        {
            return true;
        }

        size = 16;
        if (!cursor.TryTake('['))
        {
            return AddressText.TryTakeIpv6(ref cursor, addresses.AsSpan(offset, 16)) || TryTakeIpv6BeforePort(ref cursor, addresses.AsSpan(offset, 16));
        }

        return AddressText.TryTakeIpv6(ref cursor, addresses.AsSpan(offset, 16)) && cursor.TryTake(']');
    }

    // "::1:80" without brackets reads as an address with one more group; a whole address followed by a port does not.
    private static bool TryTakeIpv6BeforePort(ref TextCursor cursor, scoped Span<byte> address)
    {
        ReadOnlySpan<char> rest = cursor.Rest;
        int end = 0;
        int colon = -1;
        while (end < rest.Length && (HexText.Digit(rest[end]) >= 0 || rest[end] is ':' or '.'))
        {
            colon = rest[end] == ':' ? end : colon;
            end++;
        }

        if (colon <= 0)
        {
            return false;
        }

        TextCursor head = new(rest[..colon], null);
        if (!AddressText.TryTakeIpv6(ref head, address))
        {
            return false;
        }

        cursor.Position += colon;
        return true;
    }

    private static void PutNat(ref NetlinkWriter actions, in Arguments nat)
    {
        int start = actions.BeginNested(Nat);
        if (nat.IsSource || nat.IsDestination)
        {
            actions.Put(nat.IsSource ? NatSource : NatDestination, 0);
        }

        if (nat.AddressSize > 0)
        {
            ReadOnlySpan<byte> minimum = nat.Addresses.AsSpan(0, nat.AddressSize);
            ReadOnlySpan<byte> maximum = nat.Addresses.AsSpan(16, nat.AddressSize);
            actions.Put(NatMinimumAddress, minimum);
            if (nat.HasMaximumAddress && !maximum.SequenceEqual(minimum))
            {
                actions.Put(NatMaximumAddress, maximum);
            }

            if (nat.MinimumPort != 0)
            {
                actions.Put(NatMinimumPort, (ushort)nat.MinimumPort);
                if (nat.MaximumPort > nat.MinimumPort)
                {
                    actions.Put(NatMaximumPort, (ushort)nat.MaximumPort);
                }
            }
        }

        PutFlag(ref actions, NatPersistent, nat.IsPersistent);
        PutFlag(ref actions, NatHash, nat.IsHash);
        PutFlag(ref actions, NatRandom, nat.IsRandom);
        actions.EndNested(start);
    }

    private static void PutFlag(ref NetlinkWriter actions, int type, bool set)
    {
        if (set)
        {
            actions.Put(type, 0);
        }
    }

    /// <summary>What stands in nat(...). Addresses: the lower one at 0, the upper one at 16.</summary>
    private struct Arguments
    {
        public int Offset;
        public byte[] Addresses;
        public int AddressSize;
        public bool HasMaximumAddress;
        public uint MinimumPort;
        public uint MaximumPort;
        public bool IsSource;
        public bool IsDestination;
        public bool IsPersistent;
        public bool IsHash;
        public bool IsRandom;
    }
}
