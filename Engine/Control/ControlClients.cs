using System.Collections.Concurrent;

namespace Engine.Control;

/// <summary>The clients of a server by port id.</summary>
/// <remarks>Threads: changed by the control thread; workers look up, for upcalls.</remarks>
internal sealed class ControlClients
{
    private readonly ConcurrentDictionary<uint, ControlClient> _byPortId = new();

    public bool TryAdd(ControlClient client) => _byPortId.TryAdd(client.PortId, client);

    public void Remove(ControlClient client) => _byPortId.TryRemove(new KeyValuePair<uint, ControlClient>(client.PortId, client));

    public bool TryFind(uint portId, out ControlClient? client) => _byPortId.TryGetValue(portId, out client);

    public bool HasMembers(uint group)
    {
        foreach (KeyValuePair<uint, ControlClient> client in _byPortId)
        {
            if (client.Value.IsMember(group))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Sends to all members of a group but one.</summary>
    public void Multicast(uint group, ReadOnlySpan<byte> message, ControlClient? except)
    {
        foreach (KeyValuePair<uint, ControlClient> client in _byPortId)
        {
            if (client.Value != except && client.Value.IsMember(group))
            {
                client.Value.Send(message);
            }
        }
    }
}
