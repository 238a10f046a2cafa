using System.Buffers.Binary;
using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Tests.Oracles;
using static Engine.Tests.Actions.ActionBytes;

namespace Engine.Tests.Actions;

/// <summary>Random sets on random packets: the key is that of the new packet, and checksums that were right stay right.</summary>
public sealed class SetFieldTests : IDisposable
{
    private readonly Recording _recording = new();

    public void Dispose() => _recording.Dispose();

    [Fact]
    public void Random_sets_leave_right_checksums_and_a_key_that_says_the_same_as_the_packet()
    {
        PacketMix mix = new(TestSeed.Value);
        int sets = 0;
        for (int i = 0; i < 5000; i++)
        {
            byte[] frame = mix.NextPlain().ToArray();
            FlowKey key = new() { MacProtocol = 1 };
            unsafe
            {
                _recording.Pool.Free(_recording.Prepare(frame, ref key));
            }

            byte[] actions = [.. RandomSet(mix.Random, key), .. RandomSet(mix.Random, key), .. Userspace(1), .. Output(1)];
            if (ActionList.TryCreate(actions, key, ActionFeatures.All, out ActionList? list).IsRefused)
            {
                continue;
            }

            _recording.Outputs.Clear();
            _recording.Upcalls.Clear();
            FlowKey executed = new() { MacProtocol = 1 };
            if (_recording.Execute(list!, frame, ref executed) != Errno.None)
            {
                continue;
            }

            sets++;
            byte[] changed = _recording.Outputs[0].Packet;
            FlowKey expected = new() { MacProtocol = 1, SkbMark = executed.SkbMark, SkbPriority = executed.SkbPriority };
            unsafe
            {
                _recording.Pool.Free(_recording.Prepare(changed, ref expected));
            }

            // Without ports that can be parsed, as in a later fragment, the kernel still writes them where they would be, and shows them.
            // The kernel measures authentication headers wrongly when it lists extension headers, and so reads ports as one of them.
            bool hasPorts = (expected.TransportSource.Raw | expected.TransportDestination.Raw) != 0;
            if ((hasPorts || expected.IpProtocol is not (6 or 17 or 132)) && key.Ipv6ExtensionHeaders == 0)
            {
                NetlinkWriter writer = new(new byte[2048]);
                FlowKey.WriteNetlink(expected, ref writer);
                Assert.True(
                    writer.Written.SequenceEqual(_recording.Upcalls[0].Key),
                    $"step {i}: {Convert.ToHexStringLower(frame)} {Convert.ToHexStringLower(actions)}: {Convert.ToHexStringLower(writer.Written)} {Convert.ToHexStringLower(_recording.Upcalls[0].Key)}");
            }

            Assert.True(Checksums(frame) == Checksums(changed), $"step {i}: {Convert.ToHexStringLower(frame)} {Convert.ToHexStringLower(actions)}: {Checksums(frame)} {Checksums(changed)}");
        }

        Assert.True(sets > 1000, $"{sets} sets");
    }

    private static byte[] RandomSet(Random random, in FlowKey key)
    {
        (OvsKeyAttribute attribute, int size) = random.Next(7) switch
        {
            0 => (OvsKeyAttribute.Ethernet, 12),
            1 => (OvsKeyAttribute.SkbMark, 4),
            2 => (OvsKeyAttribute.Priority, 4),
            < 5 => key.EtherType.Value == 0x86dd ? (OvsKeyAttribute.Ipv6, 40) : (OvsKeyAttribute.Ipv4, 12),
            _ => (key.IpProtocol switch { 6 => OvsKeyAttribute.Tcp, 17 => OvsKeyAttribute.Udp, _ => OvsKeyAttribute.Sctp }, 4),
        };
        byte[] bytes = new byte[size * 2];
        random.NextBytes(bytes);
        Span<byte> mask = bytes.AsSpan(size);
        switch (attribute)
        {
            case OvsKeyAttribute.Ipv4:
                mask[8] = mask[11] = 0;
                break;
            case OvsKeyAttribute.Ipv6:
                mask[32] = 0;
                mask[33] &= 0x0f;
                mask[36] = mask[39] = 0;
                break;
        }

        for (int i = 0; i < size; i++)
        {
            bytes[i] &= mask[i];
        }

        return SetMasked(attribute, bytes);
    }

    /// <summary>Which checksums of an untagged frame are right, each computed from its bytes.</summary>
    private static string Checksums(ReadOnlySpan<byte> frame)
    {
        int type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        ReadOnlySpan<byte> ip = frame[14..];
        if (type == 0x0800 && ip.Length >= 20 && (ip[0] & 15) >= 5 && ip.Length >= (ip[0] & 15) * 4)
        {
            int headerSize = (ip[0] & 15) * 4, length = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
            bool isWhole = (BinaryPrimitives.ReadUInt16BigEndian(ip[6..]) & 0x3fff) == 0 && length <= ip.Length && length >= headerSize;
            return $"ip {ByteChecksum.Of(ip[..headerSize]) == 0} {(isWhole ? Transport(ip[9], ip[12..20], ip[headerSize..length]) : string.Empty)}";
        }

        bool isPlainIpv6 = type == 0x86dd && ip.Length >= 40 && ip[6] is 6 or 17 or 58 or 132;
        int payload = isPlainIpv6 ? BinaryPrimitives.ReadUInt16BigEndian(ip[4..]) : 0;
        return isPlainIpv6 && payload + 40 <= ip.Length ? Transport(ip[6], ip[8..40], ip.Slice(40, payload)) : string.Empty;
    }

    private static string Transport(byte protocol, ReadOnlySpan<byte> addresses, ReadOnlySpan<byte> segment)
    {
        uint pseudo = ByteChecksum.PseudoHeader(addresses, protocol, segment.Length);
        switch (protocol)
        {
            case 6 when segment.Length >= 20:
                return $"tcp {ByteChecksum.Of(segment, pseudo) == 0}";
            case 17 when segment.Length >= 8:
                return segment[6] == 0 && segment[7] == 0 ? "udp none" : $"udp {ByteChecksum.Of(segment, pseudo) == 0}";
            case 58 when segment.Length >= 8:
                return $"icmp6 {ByteChecksum.Of(segment, pseudo) == 0}";
            case 132 when segment.Length >= 12:
                byte[] copy = segment.ToArray();
                copy.AsSpan(8, 4).Clear();
                return $"sctp {ByteCrc32C.Of(copy) == BinaryPrimitives.ReadUInt32LittleEndian(segment[8..])}";
            default:
                return string.Empty;
        }
    }
}
