using System.Buffers.Binary;

namespace Engine.Tests.Oracles;

/// <summary>An endless, seeded stream of frames of every protocol the flow key knows: valid ones with right checksums, and mutated ones.</summary>
/// <remarks>
/// Addresses and ports come from small sets, so that packets meet the same flows again. The same seed gives the same frames.
/// One thread at a time; nothing is allocated after construction.
/// </remarks>
internal sealed class PacketMix
{
    /// <summary>No frame is longer.</summary>
    public const int MaximumLength = 1514;

    private const int Tcp = 6, Udp = 17, Sctp = 132, Icmp = 1, Icmpv6 = 58, Igmp = 2;

    private readonly FrameBuilder _frame = new();
    private readonly byte[] _addresses = new byte[32];
    private readonly int _hosts;
    private int _addressLength;

    /// <summary>Starts the stream.</summary>
    /// <param name="seed">To be printed by the test.</param>
    /// <param name="hosts">How many hosts talk; ports come from a set of the same size.</param>
    public PacketMix(int seed, int hosts = 8)
    {
        Random = new Random(seed);
        _hosts = hosts;
    }

    /// <summary>Where the choices come from; tests may draw from it too.</summary>
    public Random Random { get; }

    /// <summary>The next valid frame. The bytes are overwritten by the next call.</summary>
    public Span<byte> Next()
    {
        _frame.Clear();
        Ethernet(depth: 0);
        return _frame.Written;
    }

    /// <summary>The next valid frame whose network header is IPv4, IPv6 or ARP without tags, most of them TCP and UDP.</summary>
    public Span<byte> NextPlain()
    {
        _frame.Clear();
        EthernetAddresses();
        switch (Random.Next(8))
        {
            case 0:
                _frame.U16(0x0806);
                Arp();
                break;
            case < 3:
                _frame.U16(0x86dd);
                Ipv6(0);
                break;
            default:
                _frame.U16(0x0800);
                Ipv4(0);
                break;
        }

        return _frame.Written;
    }

    /// <summary>The next frame with bits flipped, bytes overwritten, cut, spliced or grown; or noise.</summary>
    public Span<byte> NextMutated()
    {
        if (Random.Next(16) == 0)
        {
            _frame.Clear();
            Random.NextBytes(_frame.Reserve(Random.Next(129)));
            return _frame.Written;
        }

        Next();
        return Mutate();
    }

    /// <summary>A copy of <paramref name="frame"/>, mutated in the same ways. At most <see cref="MaximumLength"/> bytes.</summary>
    public Span<byte> Mutated(ReadOnlySpan<byte> frame)
    {
        _frame.Clear();
        _frame.Bytes(frame);
        return frame.IsEmpty ? _frame.Written : Mutate();
    }

    private Span<byte> Mutate()
    {
        int length = _frame.Length;
        for (int rounds = Random.Next(1, 5); rounds > 0; rounds--)
        {
            Span<byte> bytes = _frame.Written;
            switch (Random.Next(6))
            {
                case 0: // A flipped bit, most often in the headers.
                    int at = Random.Next(Math.Min(bytes.Length, 96));
                    bytes[at] ^= (byte)(1 << Random.Next(8));
                    break;
                case 1: // An extreme value.
                    bytes[Random.Next(bytes.Length)] = (byte)(Random.Next(2) == 0 ? 0 : 0xff);
                    break;
                case 2: // Any value.
                    bytes[Random.Next(Math.Min(bytes.Length, 64))] = (byte)Random.Next(256);
                    break;
                case 3: // Cut, most often in the headers.
                    length = Math.Min(length, Random.Next(Random.Next(2) == 0 ? 64 : bytes.Length + 1));
                    break;
                case 4: // A 16-bit word copied from elsewhere: types and lengths in the wrong place.
                    if (bytes.Length >= 4)
                    {
                        int from = Random.Next(bytes.Length - 1), to = Random.Next(bytes.Length - 1);
                        (bytes[to], bytes[to + 1]) = (bytes[from], bytes[from + 1]);
                    }

                    break;
                default: // A length-like word near its edges.
                    if (bytes.Length >= 20)
                    {
                        BinaryPrimitives.WriteUInt16BigEndian(bytes[Random.Next(12, 19)..], (ushort)Random.Next(-4, 64));
                    }

                    break;
            }
        }

        return _frame.Written[..Math.Min(length, _frame.Length)];
    }

    private void Ethernet(int depth)
    {
        EthernetAddresses();
        int tags = Random.Next(6) switch { 0 => 1, 1 => 2, 2 when Random.Next(4) == 0 => 3, _ => 0 };
        for (int i = 0; i < tags; i++)
        {
            _frame.U16(i + 1 < tags && Random.Next(2) == 0 ? 0x88a8 : 0x8100);
            _frame.U16((Random.Next(8) << 13) | (Random.Next(4) == 0 ? 0x1000 : 0) | Random.Next(_hosts));
        }

        Network(depth);
    }

    private void EthernetAddresses()
    {
        Mac(Random.Next(16) == 0 ? 0xffff : Random.Next(_hosts));
        Mac(Random.Next(_hosts));
    }

    private void Mac(int host)
    {
        if (host == 0xffff)
        {
            _frame.Bytes([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
            return;
        }

        _frame.U32(0x02000000);
        _frame.U16(host);
    }

    private void Network(int depth)
    {
        switch (Random.Next(20))
        {
            case < 7:
                _frame.U16(0x0800);
                Ipv4(depth);
                break;
            case < 12:
                _frame.U16(0x86dd);
                Ipv6(depth);
                break;
            case < 14:
                _frame.U16(Random.Next(4) == 0 ? 0x8035 : 0x0806);
                Arp();
                break;
            case < 16:
                _frame.U16(Random.Next(4) == 0 ? 0x8848 : 0x8847);
                Mpls(depth);
                break;
            case 16 when depth == 0:
                _frame.U16(0x894f);
                Nsh(depth);
                break;
            case 17: // IEEE 802.3 length and LLC, half of them SNAP.
                Llc();
                break;
            case 18: // A type nobody parses.
                _frame.U16(0x88b5);
                Payload(60);
                break;
            default:
                _frame.U16(0x0800);
                Ipv4(depth);
                break;
        }
    }

    private void Llc()
    {
        _frame.U16(46);
        if (Random.Next(2) == 0)
        {
            _frame.Bytes([0xaa, 0xaa, 0x03, 0x00, 0x00, (byte)(Random.Next(4) == 0 ? 1 : 0)]);
            _frame.U16(Random.Next(2) == 0 ? 0x0800 : 0x88b5);
            Ipv4(depth: 1);
            return;
        }

        _frame.Bytes([0x42, 0x42, 0x03]);
        Payload(43);
    }

    private void Arp()
    {
        _frame.U16(1);
        _frame.U16(0x0800);
        _frame.U8(6);
        _frame.U8(4);
        _frame.U16(Random.Next(8) == 0 ? Random.Next(0x200) : Random.Next(1, 5));
        Mac(Random.Next(_hosts));
        Ipv4Address();
        Mac(Random.Next(_hosts));
        Ipv4Address();
        _frame.Reserve(Random.Next(2) * 18);
    }

    private void Mpls(int depth)
    {
        int labels = Random.Next(1, 5);
        for (int i = 0; i < labels; i++)
        {
            bool bottom = i == labels - 1 && Random.Next(16) != 0;
            _frame.U32(((uint)Random.Next(16, 16 + _hosts) << 12) | ((uint)Random.Next(8) << 9) | (bottom ? 0x100u : 0) | (uint)Random.Next(256));
        }

        Ipv4(depth + 1);
    }

    // RFC 8300: version 2 bits, O bit, TTL 6 bits, length 6 bits in words; then type, next protocol, path, contexts.
    private void Nsh(int depth)
    {
        int type = Random.Next(1, 3), words = type == 1 ? 6 : Random.Next(2, 6);
        int ttl = Random.Next(64);
        _frame.U16((Random.Next(2) << 13) | (ttl << 6) | words);
        _frame.U8(type);
        int next = Random.Next(1, 6);
        _frame.U8(next);
        _frame.U32(((uint)Random.Next(_hosts) << 8) | (uint)Random.Next(256));
        for (int i = 2; i < words; i++)
        {
            _frame.U32((uint)Random.Next(_hosts));
        }

        switch (next)
        {
            case 1:
                Ipv4(depth + 1);
                break;
            case 2:
                Ipv6(depth + 1);
                break;
            case 3:
                Ethernet(depth + 1);
                break;
            default:
                Payload(40);
                break;
        }
    }

    private void Ipv4Address() => _frame.U32(0x0a000000u | (uint)Random.Next(_hosts));

    private void Ipv4(int depth)
    {
        int start = _frame.Length;
        int options = Random.Next(8) == 0 ? Random.Next(1, 11) : 0;
        int headerLength = 20 + (4 * options);
        int fragment = Random.Next(10) switch { 0 => 0x2000, 1 => Random.Next(1, 8), 2 => 0x2000 | Random.Next(1, 8), 3 => 0x4000, _ => 0 };
        int protocol = Protocol(Icmp);
        _frame.U8(0x40 | (headerLength / 4));
        _frame.U8(Random.Next(4) == 0 ? Random.Next(256) : 0);
        _frame.U16(0);
        _frame.U16(Random.Next(0x10000));
        _frame.U16(fragment);
        _frame.U8(Random.Next(8) == 0 ? Random.Next(3) : 64);
        _frame.U8(protocol);
        _frame.U16(0);
        Ipv4Address();
        Ipv4Address();
        Addresses(_frame.Written[(start + 12)..(start + 20)]);
        _frame.Reserve(options * 4).Fill(1);
        if ((fragment & 0x1fff) != 0)
        {
            Payload(64);
        }
        else
        {
            Transport(protocol, depth);
        }

        Span<byte> header = _frame.Written[start..];
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)header.Length);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], ByteChecksum.Of(header[..headerLength]));
    }

    private void Ipv6Address()
    {
        _frame.U32(0x20010db8);
        _frame.U32(0);
        _frame.U32(0);
        _frame.U32((uint)Random.Next(_hosts));
    }

    private void Ipv6(int depth)
    {
        int start = _frame.Length;
        _frame.U32(0x60000000u | (uint)(Random.Next(4) == 0 ? Random.Next(0x10000000) : Random.Next(4)));
        _frame.U16(0);
        int nextHeader = _frame.Length;
        _frame.U8(0);
        _frame.U8(Random.Next(8) == 0 ? Random.Next(3) : 64);
        Ipv6Address();
        Ipv6Address();
        Addresses(_frame.Written[(start + 8)..(start + 40)]);
        int protocol = Protocol(Icmpv6);
        bool laterFragment = false;
        for (int extensions = Random.Next(3) == 0 ? Random.Next(1, 4) : 0; extensions > 0; extensions--)
        {
            int kind = Random.Next(5) switch { 0 => 0, 1 => 43, 2 => 44, 3 => 51, _ => 60 };
            _frame.Written[nextHeader] = (byte)kind;
            nextHeader = _frame.Length;
            _frame.U8(0);
            switch (kind)
            {
                case 44:
                    _frame.U8(0);
                    int offset = Random.Next(3) == 0 ? Random.Next(1, 8) << 3 : 0;
                    _frame.U16(offset | Random.Next(2));
                    _frame.U32((uint)Random.Next());
                    laterFragment |= offset != 0;
                    break;
                case 51: // Length in words minus 2.
                    _frame.U8(4);
                    _frame.Reserve(22);
                    break;
                default: // Length in 8 bytes, the first not counted; PadN inside. A routing header has no segments left.
                    int length = Random.Next(3);
                    _frame.U8(length);
                    Span<byte> body = _frame.Reserve(6 + (8 * length));
                    body[0] = (byte)(kind == 43 ? 0 : 1);
                    body[1] = (byte)(kind == 43 ? 0 : body.Length - 2);
                    break;
            }
        }

        _frame.Written[nextHeader] = (byte)protocol;
        if (laterFragment)
        {
            Payload(64);
        }
        else
        {
            Transport(protocol, depth);
        }

        BinaryPrimitives.WriteUInt16BigEndian(_frame.Written[(start + 4)..], (ushort)(_frame.Length - start - 40));
    }

    private int Protocol(int icmp) => Random.Next(12) switch
    {
        < 4 => Tcp,
        < 8 => Udp,
        8 => Sctp,
        9 or 10 => icmp,
        _ => Random.Next(2) == 0 ? Igmp : 253,
    };

    private void Addresses(ReadOnlySpan<byte> addresses)
    {
        addresses.CopyTo(_addresses);
        _addressLength = addresses.Length;
    }

    private void Ports()
    {
        _frame.U16(1024 + Random.Next(_hosts));
        _frame.U16(Random.Next(_hosts));
    }

    private void Transport(int protocol, int depth)
    {
        int start = _frame.Length;
        switch (protocol)
        {
            case Tcp:
                int options = Random.Next(4) == 0 ? Random.Next(1, 11) : 0;
                Ports();
                _frame.U32((uint)Random.Next());
                _frame.U32((uint)Random.Next());
                _frame.U16(((5 + options) << 12) | (Random.Next(16) == 0 ? Random.Next(0x1000) : 1 << Random.Next(6)));
                _frame.U16(0x2000);
                _frame.U32(0);
                _frame.Reserve(options * 4).Fill(1);
                Payload(64);
                Checksum(start, 16, protocol);
                break;
            case Udp:
                Ports();
                _frame.U32(0);
                Payload(64);
                BinaryPrimitives.WriteUInt16BigEndian(_frame.Written[(start + 4)..], (ushort)(_frame.Length - start));
                if (_addressLength == 32 || Random.Next(4) != 0)
                {
                    // RFC 768: zero means no checksum, so a sum of zero is sent as all ones.
                    Checksum(start, 6, protocol);
                    if (_frame.Written[start + 6] == 0 && _frame.Written[start + 7] == 0)
                    {
                        _frame.Written.Slice(start + 6, 2).Fill(0xff);
                    }
                }

                break;
            case Sctp:
                Ports();
                _frame.U32((uint)Random.Next());
                _frame.U32(0);
                Payload(32);
                BinaryPrimitives.WriteUInt32LittleEndian(_frame.Written[(start + 8)..], ByteCrc32C.Of(_frame.Written[start..]));
                break;
            case Icmp:
                _frame.U8(Random.Next(2) == 0 ? 8 : Random.Next(20));
                _frame.U8(Random.Next(4) == 0 ? Random.Next(4) : 0);
                _frame.U16(0);
                _frame.U32((uint)Random.Next());
                Payload(48);
                BinaryPrimitives.WriteUInt16BigEndian(_frame.Written[(start + 2)..], ByteChecksum.Of(_frame.Written[start..]));
                break;
            case Icmpv6:
                IcmpVersion6();
                Checksum(start, 2, protocol);
                break;
            default:
                Payload(48);
                break;
        }
    }

    private void IcmpVersion6()
    {
        int type = Random.Next(4) switch { 0 => 135, 1 => 136, 2 => 128, _ => Random.Next(256) };
        _frame.U8(type);
        _frame.U8(Random.Next(8) == 0 ? 1 : 0);
        _frame.U16(0);
        _frame.U32(0);
        if (type is not (135 or 136))
        {
            Payload(48);
            return;
        }

        Ipv6Address();
        for (int options = Random.Next(4); options > 0; options--)
        {
            int length = Random.Next(8) == 0 ? Random.Next(3) : 1;
            _frame.U8(Random.Next(4) switch { 0 => 1, 1 => 2, 2 => 14, _ => type - 134 });
            _frame.U8(length);
            Mac(Random.Next(_hosts));
            _frame.Reserve(Math.Max(0, (length * 8) - 8));
        }
    }

    private void Checksum(int start, int offset, int protocol)
    {
        Span<byte> segment = _frame.Written[start..];
        ushort checksum = ByteChecksum.Of(segment, ByteChecksum.PseudoHeader(_addresses.AsSpan(0, _addressLength), (byte)protocol, segment.Length));
        BinaryPrimitives.WriteUInt16BigEndian(segment[offset..], checksum);
    }

    private void Payload(int typicalLength)
    {
        int length = Random.Next(64) == 0 ? Math.Min(MaximumLength - _frame.Length, 1400) : Random.Next(typicalLength + 1);
        Span<byte> payload = _frame.Reserve(length);
        for (int i = 0; i < payload.Length; i++)
        {
            payload[i] = (byte)i;
        }
    }
}
