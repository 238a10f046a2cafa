using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>Cuts an outer IP packet that is longer than its path takes, RFC 791 section 2.3 and RFC 8200 section 4.5.</summary>
internal unsafe ref struct OuterFragments
{
    private const int Ipv4Size = 20, Ipv6Size = 40, FragmentHeaderSize = 8;
    private const int Unit = 8;

    private readonly ReadOnlySpan<byte> _packet;
    private readonly bool _isIpv6;
    private readonly uint _identification;
    private readonly int _ipSize;
    private readonly int _pieceSize;
    private int _next;

    /// <summary>Starts at the first piece.</summary>
    /// <param name="packet">The whole packet; its header has no options or extensions.</param>
    /// <param name="isIpv6">Of which version it is.</param>
    /// <param name="mtu">The longest a piece may be; at least 68, as every path takes.</param>
    /// <param name="identification">Common to the pieces.</param>
    public OuterFragments(ReadOnlySpan<byte> packet, bool isIpv6, int mtu, uint identification)
    {
        _packet = packet;
        _isIpv6 = isIpv6;
        _identification = identification;
        _ipSize = isIpv6 ? Ipv6Size : Ipv4Size;
        int headers = _ipSize + (isIpv6 ? FragmentHeaderSize : 0);
        _pieceSize = (Math.Max(mtu, 68) - headers) / Unit * Unit;
        _next = _ipSize;
    }

    /// <summary>Whether there are more pieces.</summary>
    public readonly bool HasNext => _next < _packet.Length;

    /// <summary>Makes the next piece.</summary>
    /// <returns>Null when no frame is free.</returns>
    public Packet* TryNext(PacketPool pool)
    {
        int length = Math.Min(_pieceSize, _packet.Length - _next);
        int headers = _ipSize + (_isIpv6 ? FragmentHeaderSize : 0);
        Packet* piece = pool.TryAllocate(headers + length);
        if (piece == null)
        {
            return null;
        }

        piece->SetData(Packet.DefaultDataOffset, headers + length);
        Span<byte> bytes = piece->Bytes;
        _packet[.._ipSize].CopyTo(bytes);
        _packet.Slice(_next, length).CopyTo(bytes[headers..]);
        int offset = _next - _ipSize;
        bool isLast = _next + length == _packet.Length;
        if (_isIpv6)
        {
            WriteIpv6(bytes, offset, isLast);
        }
        else
        {
            WriteIpv4(bytes, offset, isLast);
        }

        _next += length;
        return piece;
    }

    private readonly void WriteIpv4(Span<byte> bytes, int offset, bool isLast)
    {
        ref Ipv4Header header = ref MemoryMarshal.AsRef<Ipv4Header>(bytes);
        header.TotalLength = (ushort)bytes.Length;
        header.Identification = (ushort)_identification;
        header.FragmentOffset = (ushort)(offset / Unit);
        header.MoreFragments = !isLast;
        header.Checksum = default;
        header.Checksum = Be16.FromRaw((ushort)~OnesComplement.Fold(OnesComplement.Sum(bytes[..Ipv4Size])));
    }

    private readonly void WriteIpv6(Span<byte> bytes, int offset, bool isLast)
    {
        const int FragmentOffsetField = 2, IdentificationField = 4;
        ref Ipv6Header header = ref MemoryMarshal.AsRef<Ipv6Header>(bytes);
        header.PayloadLength = (ushort)(bytes.Length - Ipv6Size);
        Span<byte> fragment = bytes.Slice(Ipv6Size, FragmentHeaderSize);
        fragment[0] = header.NextHeader;
        fragment[1] = 0;
        header.NextHeader = IpProtocols.Fragment;
        BinaryPrimitives.WriteUInt16BigEndian(fragment[FragmentOffsetField..], (ushort)(offset | (isLast ? 0 : 1)));
        BinaryPrimitives.WriteUInt32BigEndian(fragment[IdentificationField..], _identification);
    }
}
