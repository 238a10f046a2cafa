using Engine.Flows;

namespace Engine.Datapaths;

/// <summary>The tunnel keys that packets of one worker carry in this round: packets lie in native memory and name them by number.</summary>
/// <remarks>It also keeps the keys of flows that are removed meanwhile. Threads: one worker.</remarks>
internal sealed class TunnelKeys
{
    private TunnelKey?[] _keys = new TunnelKey?[64];
    private int _count;

    /// <summary>The key with this number; null for 0.</summary>
    public TunnelKey? this[int number] => (uint)(number - 1) < (uint)_count ? _keys[number - 1] : null;

    /// <summary>Adds a key, if it is not the last one added.</summary>
    /// <returns>Its number, from 1.</returns>
    public int Add(TunnelKey key)
    {
        int count = _count;
        if (count != 0 && _keys[count - 1] == key)
        {
            return count;
        }

        if (count == _keys.Length)
        {
            Array.Resize(ref _keys, count * 2);
        }

        _keys[count] = key;
        return _count = count + 1;
    }

    /// <summary>Forgets all, once no packet of the round is left.</summary>
    public void Clear()
    {
        if (_count != 0)
        {
            Array.Clear(_keys, 0, _count);
            _count = 0;
        }
    }
}
