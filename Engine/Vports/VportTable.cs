using System.Runtime.CompilerServices;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>The ports of a datapath, by number and by name.</summary>
/// <remarks>Threads: changed by the control thread; workers look up by number without locks.</remarks>
public sealed class VportTable
{
    /// <summary>The highest port number (DP_MAX_PORTS - 1, less the value that means "no port").</summary>
    public const uint MaximumNumber = 65534;

    private readonly Dictionary<string, Vport> _byName = new(StringComparer.Ordinal);
    private Vport?[] _byNumber = new Vport?[16];

    /// <summary>Ports in the table.</summary>
    public int Count => _byName.Count;

    /// <summary>The port of this number, or null. Any thread.</summary>
    public Vport? this[uint number]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            Vport?[] ports = Volatile.Read(ref _byNumber);
            return number < (uint)ports.Length ? ports[number] : null;
        }
    }

    /// <summary>The port of this name, or null. Control thread only.</summary>
    public Vport? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Adds a port. Control thread only.</summary>
    /// <returns>EEXIST when the name is taken, EBUSY when the number is, as OVS_VPORT_CMD_NEW.</returns>
    public Refusal TryAdd(Vport vport)
    {
        ArgumentNullException.ThrowIfNull(vport);
        if (_byName.ContainsKey(vport.Name))
        {
            return new Refusal(Errno.Exists, $"Port {vport.Name} exists");
        }

        if (this[vport.Number] is { } other)
        {
            return new Refusal(Errno.Busy, $"Port number {vport.Number} is taken by {other.Name}");
        }

        Vport?[] ports = _byNumber;
        if (vport.Number >= ports.Length)
        {
            int length = (int)System.Numerics.BitOperations.RoundUpToPowerOf2(vport.Number + 1);
            Array.Resize(ref ports, length);
        }

        _byName.Add(vport.Name, vport);
        Volatile.Write(ref ports[vport.Number], vport);
        Volatile.Write(ref _byNumber, ports);
        return Refusal.None;
    }

    /// <summary>Gives a port of the table another name, which no other port has. Control thread only.</summary>
    internal void Rename(Vport vport, string name)
    {
        _byName.Remove(vport.Name);
        vport.Name = name;
        _byName[name] = vport;
    }

    /// <summary>Removes a port; its driver is not disposed. Control thread only.</summary>
    /// <returns>False when the port is not in the table.</returns>
    public bool Remove(Vport vport)
    {
        ArgumentNullException.ThrowIfNull(vport);
        if (this[vport.Number] != vport)
        {
            return false;
        }

        _byName.Remove(vport.Name);
        Volatile.Write(ref _byNumber[vport.Number], null);
        return true;
    }

    /// <summary>All ports in the order of their numbers. Control thread only.</summary>
    public Vport[] ToArray() => [.. _byName.Values.OrderBy(vport => vport.Number)];
}
