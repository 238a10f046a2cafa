namespace Engine.Vports;

/// <summary>The file formats of captures.</summary>
public enum CaptureFormat
{
    /// <summary>Classic pcap with times in microseconds, magic a1b2c3d4 (draft-ietf-opsawg-pcap).</summary>
    PcapMicroseconds,

    /// <summary>Classic pcap with times in nanoseconds, magic a1b23c4d.</summary>
    PcapNanoseconds,

    /// <summary>pcapng (draft-ietf-opsawg-pcapng).</summary>
    Pcapng,
}
