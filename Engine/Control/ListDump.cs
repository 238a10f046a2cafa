using Engine.Netlink;

namespace Engine.Control;

/// <summary>A dump of a list as it was when the dump began.</summary>
/// <param name="target">Whose dump it is.</param>
/// <param name="items">What to dump.</param>
/// <param name="write">Writes the message of one item.</param>
/// <param name="version">The version of what is dumped; it changes with it.</param>
/// <param name="isThere">Whether an item is still there. One that has gone since is left out, as by the kernel: nothing of it may be asked.</param>
internal sealed class ListDump<T>(
    MessageTarget target, IReadOnlyList<T> items, ListDump<T>.WriteItem write, Func<long>? version = null, Func<T, bool>? isThere = null) : ControlDump(target)
{
    private readonly long _startVersion = version?.Invoke() ?? 0;
    private int _next;

    /// <summary>Writes the message of one item, with these flags in its header.</summary>
    public delegate void WriteItem(ref NetlinkWriter writer, MessageTarget target, T item, ushort flags);

    /// <inheritdoc/>
    protected override bool HasChanged => version is not null && version() != _startVersion;

    /// <inheritdoc/>
    protected override bool TryWriteNext(ref NetlinkWriter writer)
    {
        while (_next < items.Count && isThere?.Invoke(items[_next]) == false)
        {
            _next++;
        }

        if (_next == items.Count)
        {
            return false;
        }

        write(ref writer, Target, items[_next++], Flags);
        return true;
    }

    /// <inheritdoc/>
    protected override void StepBack() => _next--;
}
