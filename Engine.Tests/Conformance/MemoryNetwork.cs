using Engine.Packets;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Conformance;

/// <summary>A network namespace made of memory: devices with names and indexes, as the recorder had them, without a host.</summary>
internal sealed class MemoryNetwork : IVportFactory
{
    private const int RingSize = 1 << 16;
    private const ushort UsualVxlanPort = 8472;

    private readonly Dictionary<string, Device> _devices = new(StringComparer.Ordinal) { ["lo"] = new Device("lo", 1, "loopback") };
    private int _lastIfindex = 1;

    /// <summary>Does what a set-up command of the recorder did.</summary>
    public void Run(string command)
    {
        switch (command.Split(' '))
        {
            case ["ip", "link", "add", string name, "type", "veth", "peer", "name", string peer]:
                Add(peer, "veth").Peer = name;
                Add(name, "veth").Peer = peer;
                break;
            case ["ip", "link", "add", string name, "type", string kind, ..]:
                Add(name, kind);
                break;
            case ["ip", "link", "set", string name, "master", string master]:
                _devices[name].Master = master;
                break;
            case ["ip", "link", "set", string name, "up"]:
                _devices[name].IsUp = true;
                break;
            default:
                throw new NotSupportedException(command);
        }
    }

    /// <summary>The driver of the device whose peer this is, if it is a port.</summary>
    public LoopbackDriver? DriverBehind(string peer) => _devices[_devices[peer].Peer!].Driver;

    /// <summary>Counts a frame that arrives at the device whose peer this is; the host drops what it has no protocol for.</summary>
    public void CountArrival(string peer, ReadOnlySpan<byte> frame)
    {
        Device device = _devices[_devices[peer].Peer!];
        device.Stats.RxPackets++;
        device.Stats.RxBytes += (uint)frame.Length;
        int etherType = (frame[12] << 8) | frame[13];
        if (device.Driver is null && etherType is not (0x0800 or 0x0806 or 0x86dd))
        {
            device.Stats.RxDropped++;
        }
    }

    /// <summary>Makes a device of this name and index unless there is one of this name.</summary>
    public void Ensure(string name, int ifindex)
    {
        if (!_devices.ContainsKey(name))
        {
            Add(name, "veth", ifindex);
        }
    }

    /// <summary>Sets what the host has counted at a device beside what goes through its port.</summary>
    public void SetTransmitErrors(string name, ulong count) => _devices[name].Stats.TxErrors = count;

    /// <summary>Name of the other end of a veth pair.</summary>
    public string PeerOf(string name) => _devices[name].Peer!;

    /// <inheritdoc/>
    public Errno TryCreate(VportRequest request, out VportDevice? device)
    {
        device = null;
        return request.Type switch
        {
            VportType.Netdev => Find(request.Name, out device),
            VportType.Internal => MakeInternal(request, out device),
            VportType.Gre => MakeTunnel(request, 0, Errno.Exists, out device),
            VportType.Vxlan => MakeTunnel(request, request.DestinationPort is 0 or null ? UsualVxlanPort : request.DestinationPort.Value, Errno.Exists, out device),
            VportType.Geneve => MakeTunnel(request, request.DestinationPort ?? 0, Errno.Busy, out device),
            _ => Errno.AddressFamilyNotSupported,
        };
    }

    private Errno Find(string name, out VportDevice? device)
    {
        device = null;
        if (!_devices.TryGetValue(name, out Device? found))
        {
            return Errno.NoDevice;
        }

        if (found.Kind is "loopback" or "ipip" or "internal")
        {
            return Errno.InvalidArgument;
        }

        if (found.Master is not null)
        {
            return Errno.Busy;
        }

        found.Master = "ovs-system";
        device = Attach(found, () => found.Master = null);
        return Errno.None;
    }

    private Errno MakeInternal(VportRequest request, out VportDevice? device)
    {
        device = null;
        string name = request.Name;
        if (name.Contains('%', StringComparison.Ordinal))
        {
            int number = 0;
            while (_devices.ContainsKey(name.Replace("%d", $"{number}", StringComparison.Ordinal)))
            {
                number++;
            }

            name = name.Replace("%d", $"{number}", StringComparison.Ordinal);
        }

        if (name is "" or "." or ".." || name.Any(static c => c is '/' or ':' || char.IsWhiteSpace(c)))
        {
            return Errno.InvalidArgument;
        }

        if (_devices.ContainsKey(name))
        {
            return Errno.Exists;
        }

        if (request.Ifindex != 0 && _devices.Values.Any(other => other.Ifindex == request.Ifindex))
        {
            return Errno.Busy;
        }

        device = Make(name, "internal", request.Ifindex, 0);
        return Errno.None;
    }

    private Errno MakeTunnel(VportRequest request, ushort port, Errno whenTaken, out VportDevice? device)
    {
        device = null;
        string kind = request.Type.ToString();
        if (_devices.ContainsKey(request.Name))
        {
            return Errno.Exists;
        }

        if (_devices.Values.Any(other => other.Kind == kind && other.DestinationPort == port))
        {
            return whenTaken;
        }

        device = Make(request.Name, kind, 0, port);
        return Errno.None;
    }

    private VportDevice Make(string name, string kind, int ifindex, ushort destinationPort)
    {
        Device made = Add(name, kind, ifindex);
        made.DestinationPort = destinationPort;
        return Attach(made, () => _devices.Remove(name));
    }

    private static VportDevice Attach(Device device, Action detach)
    {
        device.Driver = new LoopbackDriver(RingSize);
        return new VportDevice(device.Name, device.Ifindex, new AttachedDriver(device, () =>
        {
            device.Driver = null;
            detach();
        }))
        {
            DestinationPort = device.DestinationPort,
            ReadStats = () => device.Stats,
        };
    }

    private Device Add(string name, string kind, int ifindex = 0)
    {
        if (ifindex == 0)
        {
            do
            {
                ifindex = ++_lastIfindex;
            }
            while (_devices.Values.Any(other => other.Ifindex == ifindex));
        }

        return _devices[name] = new Device(name, ifindex, kind);
    }

    private sealed class Device(string name, int ifindex, string kind)
    {
        public string Name { get; } = name;

        public int Ifindex { get; } = ifindex;

        public string Kind { get; } = kind;

        public string? Peer { get; set; }

        public string? Master { get; set; }

        public bool IsUp { get; set; }

        public ushort DestinationPort { get; set; }

        public LoopbackDriver? Driver { get; set; }

        public VportStats Stats;
    }

    /// <summary>Counts as the device does, and detaches when the port is closed.</summary>
    private sealed class AttachedDriver(Device device, Action detach) : IVportDriver
    {
        private readonly LoopbackDriver _memory = device.Driver!;

        public void Receive(PacketPool pool, ref PacketBatch batch) => _memory.Receive(pool, ref batch);

        public int Transmit(PacketPool pool, ref PacketBatch batch)
        {
            Assert.Same(_memory, device.Driver);
            for (int i = 0; i < batch.Count; i++)
            {
                Count(batch[i].LengthWithoutOuterTag);
            }

            int sent = _memory.Transmit(pool, ref batch);
            Span<byte> packet = stackalloc byte[64];
            while (_memory.TryTake(packet, out _))
            {
                // Nobody looks at what leaves: the transcripts tell it by the ports' counters.
            }

            return sent;
        }

        public void Dispose() => detach();

        // The kernel keeps the outermost tag beside the packet, where the device does not count it. What goes to an internal port the host receives.
        private void Count(int length)
        {
            if (device.Kind != "internal")
            {
                device.Stats.TxPackets++;
                device.Stats.TxBytes += (uint)length;
            }
            else if (device.IsUp)
            {
                device.Stats.RxPackets++;
                device.Stats.RxBytes += (uint)length;
            }
            else
            {
                device.Stats.RxDropped++;
            }
        }
    }
}
