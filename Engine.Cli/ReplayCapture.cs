using Engine.Packets;
using Engine.Vports;

namespace Engine.Cli;

/// <summary>The capture that a replay plays.</summary>
internal sealed class ReplayCapture : IDisposable
{
    private readonly string _path;

    private ReplayCapture(string path, CaptureReader reader, long length)
    {
        _path = path;
        Reader = reader;
        Length = length;
    }

    /// <summary>Its packets.</summary>
    public CaptureReader Reader { get; }

    /// <summary>Bytes of the file; 0 for a pipe.</summary>
    public long Length { get; }

    /// <summary>Opens a capture.</summary>
    /// <exception cref="CommandFailure">It cannot be read, is none, or is of an unsupported link type.</exception>
    public static ReplayCapture Open(string path)
    {
        FileStream stream;
        long length;
        try
        {
            // The reader has a buffer of its own.
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.SequentialScan);
            length = stream.CanSeek ? stream.Length : 0;
        }
        catch (Exception exception) when (CommandFailure.IsOfFile(exception))
        {
            throw CommandFailure.OfFile("read", path, exception);
        }

        if (!CaptureReader.TryOpen(stream, out CaptureReader? reader, out CaptureFault fault))
        {
            stream.Dispose();
            throw FailureOf(path, fault);
        }

        return new ReplayCapture(path, reader, length);
    }

    /// <summary>Tells of what ended the reading, if it was not the end of the capture.</summary>
    /// <exception cref="CommandFailure">The capture is damaged, or has packets of an unsupported link type.</exception>
    public void ThrowIfFaulty()
    {
        if (Reader.Fault.Kind != CaptureFaultKind.None)
        {
            throw FailureOf(_path, Reader.Fault);
        }
    }

    /// <summary>Reads what is left of the capture into memory.</summary>
    /// <exception cref="CommandFailure">It is larger than the memory there is.</exception>
    public PacketStore Load() => Length < GC.GetGCMemoryInfo().TotalAvailableMemoryBytes
        ? PcapLoopDriver.Load(Reader)
        : throw new CommandFailure(ExitCode.BadInput, $"engine: {_path}: {Length} bytes do not fit into memory, where --loop plays from");

    /// <inheritdoc/>
    public void Dispose() => Reader.Dispose();

    private static CommandFailure FailureOf(string path, CaptureFault fault)
    {
        bool isDamage = fault.Kind is CaptureFaultKind.Truncated or CaptureFaultKind.Corrupt || (fault.IsDamage && fault.Offset != 0);
        return new CommandFailure(
            isDamage ? ExitCode.DamagedCapture : ExitCode.BadInput,
            $"engine: {path}: {fault}");
    }
}
