using System.Diagnostics.CodeAnalysis;

namespace Engine.Vports;

/// <summary>Reads the packets of a capture in order: classic pcap and pcapng, either byte order, told apart by their first bytes.</summary>
/// <remarks>
/// <para>Nothing is allocated per packet. No content of a file makes a reader throw: reading ends, and <see cref="Fault"/> says why and where,
/// after everything before that place has been delivered.</para>
/// <para>Threads: one at a time.</para>
/// </remarks>
public abstract class CaptureReader : IDisposable
{
    /// <summary>The longest packet a record may hold, as in libpcap and Wireshark; a longer one is taken for damage.</summary>
    public const int MaximumPacketLength = 262_144;

    /// <summary>LINKTYPE_ETHERNET of the registry that draft-ietf-opsawg-pcaplinktype sets up: an Ethernet header first. The only one that is read or written.</summary>
    public const int EthernetLinkType = 1;

    private protected CaptureReader(CaptureBuffer buffer, CaptureFormat format)
    {
        Buffer = buffer;
        Format = format;
    }

    /// <summary>The format found.</summary>
    public CaptureFormat Format { get; }

    /// <summary>Byte offset of the next record: how far reading has come.</summary>
    public long Position => Buffer.Offset;

    /// <summary>Why reading ended; <see cref="CaptureFaultKind.None"/> before that and at a proper end.</summary>
    public CaptureFault Fault { get; private protected set; }

    private protected CaptureBuffer Buffer { get; }

    /// <summary>Opens a capture.</summary>
    /// <param name="stream">The capture from its first byte; need not be seekable. Belongs to the reader on success, to the caller otherwise.</param>
    /// <param name="reader">The reader, before the first packet.</param>
    /// <param name="fault">Why the stream could not be opened.</param>
    /// <returns>False when the header is damaged, or not that of a capture whose packets can be read.</returns>
    public static bool TryOpen(Stream stream, [NotNullWhen(true)] out CaptureReader? reader, out CaptureFault fault)
    {
        ArgumentNullException.ThrowIfNull(stream);
        CaptureBuffer buffer = new(stream);
        reader = null;
        if (!buffer.TryFill(4))
        {
            fault = EndOf(buffer, "the capture's header", 4);
            return false;
        }

        reader = buffer.Bytes is [0x0a, 0x0d, 0x0d, 0x0a, ..]
            ? PcapngReader.Open(buffer, out fault)
            : PcapReader.Open(buffer, out fault);
        return reader != null;
    }

    /// <summary>Reads the next packet.</summary>
    /// <returns>False at the end, be it proper or not: see <see cref="Fault"/>.</returns>
    public abstract bool TryRead(out CapturedPacket packet);

    /// <inheritdoc/>
    public void Dispose()
    {
        Buffer.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The fault of a stream that ended inside <paramref name="what"/>, which begins where the window does and needs so many bytes.</summary>
    private protected static CaptureFault EndOf(CaptureBuffer buffer, string what, long needed) => buffer.Failure is { } failure
        ? new(CaptureFaultKind.Unreadable, buffer.Offset, $"the file cannot be read: {failure}")
        : new(CaptureFaultKind.Truncated, buffer.Offset, $"truncated: {what} takes {needed} bytes and the file ends after {buffer.Available} of them");

    private protected static CaptureFault Unsupported(long offset, uint linkType) => new(
        CaptureFaultKind.UnsupportedLinkType,
        offset,
        $"link type {linkType}{NameOf(linkType)} is not supported: packets must start with an Ethernet header (link type {EthernetLinkType})");

    // The ones people meet most, by the names of the LINKTYPE_ registry.
    private static string NameOf(uint linkType) => linkType switch
    {
        0 or 108 => " (loopback)",
        101 or 228 or 229 => " (raw IP)",
        105 or 127 => " (802.11)",
        113 or 276 => " (Linux cooked)",
        _ => string.Empty,
    };
}
