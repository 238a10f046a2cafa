using System.Text;
using Engine.Datapaths;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Control;

/// <summary>The datapaths of a server and their ports: the one place where both come and go.</summary>
/// <remarks>Threads: the control thread.</remarks>
internal sealed class DatapathRegistry(ControlServer server, IVportFactory factory, PacketFamily packets)
{
    // No name of a request is longer: IFNAMSIZ is 16.
    private const int LongestName = 64;

    private readonly List<ControlledDatapath> _all = [];
    private readonly Dictionary<int, ControlledDatapath> _byIfindex = [];
    private readonly Dictionary<string, ControlledVport> _vports = new(StringComparer.Ordinal);

    /// <summary>The datapaths in the order in which they were made.</summary>
    public IReadOnlyList<ControlledDatapath> All => _all;

    /// <summary>Changes with every datapath that comes or goes.</summary>
    public long Changes { get; private set; }

    /// <summary>The datapath whose local device has this index, or null.</summary>
    public ControlledDatapath? Find(int ifindex) => _byIfindex.GetValueOrDefault(ifindex);

    /// <summary>The port of this name in any datapath, or null.</summary>
    public ControlledVport? FindVport(string name) => _vports.GetValueOrDefault(name);

    /// <summary>The port of this name in any datapath, or null.</summary>
    public ControlledVport? FindVport(ReadOnlySpan<byte> utf8)
    {
        Span<char> name = stackalloc char[LongestName];
        return Encoding.UTF8.TryGetChars(utf8, name, out int length)
            && _vports.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[..length], out ControlledVport? vport) ? vport : null;
    }

    /// <summary>The port whose device has this index, or null.</summary>
    public ControlledVport? FindVport(int ifindex) => _vports.Values.FirstOrDefault(vport => vport.Device.Ifindex == ifindex);

    /// <summary>A datapath that is not yet in the registry: it joins with its local port.</summary>
    public ControlledDatapath Make()
    {
        IVportRunner? runner = server.Options.Runner;
        DatapathOptions options = server.Options.Datapath;
        Datapath datapath = new(runner is null ? options : options with { WorkerCount = runner.WorkerCount + 1 });
        ControlledDatapath controlled = new(datapath, server.Options.ProcessorCount, runner);
        datapath.UpcallHandler = new UpcallSender(server.Clients, controlled, packets);
        return controlled;
    }

    /// <summary>Makes a port's device and adds the port (<c>ovs_vport_add</c>).</summary>
    /// <returns>As <see cref="IVportFactory"/>; EEXIST and EBUSY also for a device that is a port already, here or elsewhere.</returns>
    public Errno AddVport(ControlledDatapath datapath, uint number, VportRequest request, uint[] portIds, out ControlledVport? port)
    {
        port = null;
        if (FindVport(request.Name) is { } other)
        {
            return request.Type != VportType.Netdev ? Errno.Exists
                : other.Vport.Type == VportType.Internal ? Errno.InvalidArgument
                : other.Datapath == datapath ? Errno.Exists : Errno.Busy;
        }

        Errno errno = factory.TryCreate(request with { Workers = datapath.Workers }, out VportDevice? device);
        if (errno != Errno.None || device is null)
        {
            return errno;
        }

        Vport vport = new(number, device.Name, request.Type, device.Driver, datapath.Workers.Count, device.Channels)
        {
            MaximumTransmissionUnit = device.MaximumTransmissionUnit,
            TakesBarePackets = device.TakesBarePackets,
        };
        Refusal refusal = datapath.Datapath.Vports.TryAdd(vport);
        if (refusal.IsRefused)
        {
            device.Driver.Dispose();
            return refusal.Errno;
        }

        port = new ControlledVport(datapath, vport, device, request, portIds);
        datapath.Add(port);
        _vports[device.Name] = port;
        if (port.IsLocal)
        {
            _all.Add(datapath);
            _byIfindex[device.Ifindex] = datapath;
            Changes++;
        }

        server.Options.Runner?.Start(port);
        return Errno.None;
    }

    /// <summary>A port's device has another name now.</summary>
    public void Rename(ControlledVport port, string name)
    {
        _vports.Remove(port.Device.Name);
        _vports[name] = port;
        port.Datapath.Datapath.Vports.Rename(port.Vport, name);
        port.Device = port.Device with { Name = name };
    }

    /// <summary>Takes a port away and closes its device.</summary>
    public void RemoveVport(ControlledVport port)
    {
        _vports.Remove(port.Device.Name);
        port.Datapath.Remove(port);
        port.Datapath.Datapath.Vports.Remove(port.Vport);
        server.Options.Runner?.Stop(port);
        port.Device.Driver.Dispose();
    }

    /// <summary>Takes a datapath down with all its ports.</summary>
    public void Remove(ControlledDatapath datapath)
    {
        _all.Remove(datapath);
        _byIfindex.Remove(datapath.Ifindex);
        Changes++;
        List<ControlledVport> ports = datapath.ListPorts();
        foreach (ControlledVport port in ports)
        {
            if (!port.IsLocal)
            {
                RemoveVport(port);
            }
        }

        RemoveVport(datapath.Local);
        datapath.Datapath.Dispose();
    }
}
