using Engine.Flows;

namespace Engine.Datapaths;

/// <summary>Packets that follow each other in a batch and leave by one port, whatever their flows are.</summary>
/// <remarks>Threads: one worker.</remarks>
internal struct OutputRun
{
    /// <summary>The port, or <see cref="FlowRecord.NoOutput"/> while there are none.</summary>
    public int Port;

    /// <summary>The first packet.</summary>
    public int Start;

    /// <summary>One behind the last packet.</summary>
    public int End;

    /// <summary>Length of the longest packet.</summary>
    public int LongestPacket;

    /// <summary>Length of all packets together.</summary>
    public ulong Bytes;

    /// <summary>Whether a packet without an Ethernet header is among them.</summary>
    public bool HasBarePacket;

    /// <summary>Makes a run without packets.</summary>
    /// <param name="start">Where its first packet will be.</param>
    /// <param name="port">The port.</param>
    public OutputRun(int start, int port)
    {
        Port = port;
        Start = start;
        End = start;
    }

    /// <summary>Whether there are none.</summary>
    public readonly bool IsEmpty => Start == End;
}
