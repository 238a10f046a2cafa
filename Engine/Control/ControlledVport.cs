using System.Runtime.InteropServices;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Control;

/// <summary>A port with what only control programs know of it.</summary>
/// <remarks>Threads: changed by the control thread; workers read the port ids.</remarks>
public sealed class ControlledVport
{
    private uint[] _portIds;
    private PacedReading<VportStats> _stats;

    internal ControlledVport(ControlledDatapath datapath, Vport vport, VportDevice device, VportRequest request, uint[] portIds)
    {
        Datapath = datapath;
        Vport = vport;
        Device = device;
        Request = request;
        _portIds = portIds;
    }

    /// <summary>The datapath it is in.</summary>
    public ControlledDatapath Datapath { get; }

    /// <summary>The port.</summary>
    public Vport Vport { get; }

    /// <summary>Its device.</summary>
    public VportDevice Device { get; internal set; }

    /// <summary>What was asked for when it was added.</summary>
    public VportRequest Request { get; }

    /// <summary>Netlink port ids for upcalls; 0 for none. At least one.</summary>
    public ReadOnlySpan<uint> PortIds => Volatile.Read(ref _portIds);

    /// <summary>What has gone through its device, or through the port where the device does not count.</summary>
    public VportStats ReadStats() => _stats.Read(this, static port => port.ReadAll());

    /// <summary>Higher for ports that were added later.</summary>
    internal long Age { get; set; }

    /// <summary>Whether it is the local port, that of the datapath's own device.</summary>
    public bool IsLocal => Vport.Number == 0;

    /// <summary>Reads a list of port ids (<c>ovs_vport_set_upcall_portids</c>).</summary>
    /// <returns>EINVAL when it is empty or not made of whole numbers.</returns>
    internal static Errno TryReadPortIds(ReadOnlySpan<byte> payload, out uint[] portIds)
    {
        portIds = [];
        if (payload.IsEmpty || payload.Length % sizeof(uint) != 0)
        {
            return Errno.InvalidArgument;
        }

        portIds = MemoryMarshal.Cast<byte, uint>(payload).ToArray();
        return Errno.None;
    }

    internal void SetPortIds(uint[] portIds) => Volatile.Write(ref _portIds, portIds);

    /// <summary>The port id for the upcall of a packet with this hash (<c>ovs_vport_find_upcall_portid</c>).</summary>
    internal uint ChoosePortId(uint hash)
    {
        uint[] portIds = Volatile.Read(ref _portIds);
        return portIds.Length == 1 ? portIds[0] : portIds[hash % (uint)portIds.Length];
    }

    private VportStats ReadAll()
    {
        if (Device.ReadStats is not { } read)
        {
            return Vport.ReadStats();
        }

        // The kernel counts at the device what a port refuses to send; a device here does not see it.
        VportStats stats = read();
        stats.TxErrors += Vport.CountTxErrors();
        return stats;
    }
}
