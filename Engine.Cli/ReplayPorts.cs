using Engine.Datapaths;
using Engine.Vports;

namespace Engine.Cli;

/// <summary>The ports of a replay: one that plays the capture, and those that flows send to.</summary>
internal sealed class ReplayPorts
{
    private readonly List<(string Path, CaptureWriter Writer)> _written = [];
    private readonly PcapDriver? _fileInput;
    private readonly PcapLoopDriver? _memoryInput;

    private ReplayPorts(Vport input, PcapDriver? fileInput, PcapLoopDriver? memoryInput)
    {
        Input = input;
        _fileInput = fileInput;
        _memoryInput = memoryInput;
    }

    /// <summary>The port that plays the capture.</summary>
    public Vport Input { get; }

    /// <summary>Packets of the capture that were too long for any frame.</summary>
    public ulong DroppedTooLong => (ulong)(_fileInput?.DroppedTooLong ?? _memoryInput!.DroppedTooLong);

    /// <summary>Makes ports that write what they send to files of the output directory, if there is one, and discard it otherwise.</summary>
    /// <exception cref="CommandFailure">The directory or a file in it cannot be written.</exception>
    public static ReplayPorts ToFiles(Datapath datapath, ReplayOptions options, ReplayCapture capture, IReadOnlyCollection<uint> outputPorts)
    {
        Dictionary<uint, (string Path, CaptureWriter Writer)> files = options.OutDirectory is { } directory
            ? CreateFiles(directory, options.CapturePath, capture.Reader.Format, outputPorts)
            : [];
        PcapDriver input = new(capture.Reader, files.GetValueOrDefault(options.InPort).Writer);
        ReplayPorts ports = new(Add(datapath, options.InPort, VportType.Pcap, input), input, null);
        ports._written.AddRange(files.Values);
        foreach (uint number in outputPorts.Where(number => number != options.InPort))
        {
            if (files.TryGetValue(number, out (string Path, CaptureWriter Writer) file))
            {
                Add(datapath, number, VportType.Pcap, new PcapDriver(null, file.Writer));
            }
            else
            {
                Add(datapath, number, VportType.Null, new NullDriver());
            }
        }

        return ports;
    }

    /// <summary>Loads the capture into memory and makes ports that play it without end and discard what they send.</summary>
    public static ReplayPorts Discarding(Datapath datapath, uint inPort, ReplayCapture capture, IReadOnlyCollection<uint> outputPorts)
    {
        PcapLoopDriver input = new(capture.Load());
        ReplayPorts ports = new(Add(datapath, inPort, VportType.Pcap, input), null, input);
        foreach (uint number in outputPorts.Where(number => number != inPort))
        {
            Add(datapath, number, VportType.Null, new NullDriver());
        }

        return ports;
    }

    /// <summary>Brings everything that was sent to its file.</summary>
    public void Flush()
    {
        foreach ((_, CaptureWriter writer) in _written)
        {
            writer.Flush();
        }
    }

    /// <summary>Tells of the first file that could not take everything.</summary>
    /// <exception cref="CommandFailure">There is one.</exception>
    public void ThrowIfNotWritten()
    {
        foreach ((string path, CaptureWriter writer) in _written)
        {
            if (writer.Failure is { } cause)
            {
                throw new CommandFailure(ExitCode.BadInput, $"engine: cannot write {path}: {cause}");
            }
        }
    }

    private static Vport Add(Datapath datapath, uint number, VportType type, IVportDriver driver)
    {
        datapath.AddVport(number, $"port-{number}", type, driver, out Vport vport);
        return vport;
    }

    private static Dictionary<uint, (string Path, CaptureWriter Writer)> CreateFiles(
        string directory, string capturePath, CaptureFormat inputFormat, IReadOnlyCollection<uint> outputPorts)
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception exception) when (CommandFailure.IsOfFile(exception))
        {
            throw CommandFailure.OfFile("write to", directory, exception);
        }

        // The files are classic pcap by their names; times are as fine as those of the input.
        CaptureFormat format = inputFormat == CaptureFormat.PcapMicroseconds ? inputFormat : CaptureFormat.PcapNanoseconds;
        Dictionary<uint, (string, CaptureWriter)> writers = [];
        foreach (uint number in outputPorts)
        {
            string path = Path.Combine(directory, $"port-{number}.pcap");
            if (Path.GetFullPath(path) == Path.GetFullPath(capturePath))
            {
                throw new CommandFailure(ExitCode.BadInput, $"engine: cannot write {path}: it is the capture that is to be played");
            }

            try
            {
                writers.Add(number, (path, new CaptureWriter(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0), format)));
            }
            catch (Exception exception) when (CommandFailure.IsOfFile(exception))
            {
                throw CommandFailure.OfFile("write", path, exception);
            }
        }

        return writers;
    }
}
