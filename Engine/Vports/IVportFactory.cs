using Engine.Primitives;

namespace Engine.Vports;

/// <summary>Finds or makes the devices of ports: the host's in service, memory in tests.</summary>
/// <remarks>Threads: the control thread.</remarks>
public interface IVportFactory
{
    /// <summary>Finds the device (<see cref="VportType.Netdev"/>) or makes it (all other types).</summary>
    /// <param name="request">What is asked for. Its name has 0 to 15 characters, nothing else is checked.</param>
    /// <param name="device">The device; null when refused.</param>
    /// <returns>
    /// As the kernel: ENODEV when there is no such device; EINVAL when it cannot be a port (loopback, not Ethernet) or the name cannot be one; EBUSY when
    /// it has another master, or its index is taken; EEXIST when a device of this name or with this tunnel's port exists; EAFNOSUPPORT for a type that
    /// cannot be made.
    /// </returns>
    Errno TryCreate(VportRequest request, out VportDevice? device);
}
