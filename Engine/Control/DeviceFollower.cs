using Engine.Vports;

namespace Engine.Control;

/// <summary>Keeps ports in step with their devices, as the kernel's netdevice notifier does (<c>dp_device_event</c>).</summary>
/// <remarks>
/// <para>A device that is deleted or moved to another namespace takes its port with it, and listeners are told. One that is set down or up stays,
/// its new name and MTU are the port's. The kernel finds a renamed port by its old name only; here it is found by the new one.</para>
/// <para>Threads: the monitor's; the server has its own lock.</para>
/// </remarks>
public sealed class DeviceFollower : IDisposable
{
    private readonly ControlServer _server;
    private readonly LinkSocket _links = new();
    private readonly LinkMonitor _monitor;

    /// <summary>Starts to follow the devices of this network namespace.</summary>
    /// <exception cref="Platform.SystemCallException">The kernel gives no socket.</exception>
    public DeviceFollower(ControlServer server)
    {
        ArgumentNullException.ThrowIfNull(server);
        _server = server;
        _monitor = new LinkMonitor(Follow, FollowAll);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _monitor.Dispose();
        _links.Dispose();
    }

    private void Follow(LinkState link)
    {
        if (link.IsGone)
        {
            _server.DetachDevice(link.Index);
        }
        else
        {
            _server.ChangeDevice(link.Index, link.Name, link.Mtu);
        }
    }

    // Something was missed: every device is looked up again.
    private void FollowAll()
    {
        foreach (int index in _server.ListDevices())
        {
            if (_links.TryRead(index) is { } link)
            {
                Follow(link);
            }
            else
            {
                _server.DetachDevice(index);
            }
        }
    }
}
