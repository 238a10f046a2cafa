using Engine.Primitives;

namespace Engine.Meters;

/// <summary>The meters of a datapath, in an array by their number modulo its length, as the kernel keeps them: two numbers with the same remainder exclude each other.</summary>
/// <remarks>Threads: changed by the control thread; workers look up without locks.</remarks>
public sealed class MeterTable
{
    /// <summary>How many meters there can be, unless memory is scarce (the kernel's DP_METER_NUM_MAX).</summary>
    public const int MaximumCount = 200_000;

    /// <summary>Bands of a meter (the kernel's DP_MAX_BANDS).</summary>
    public const int MaximumBands = 1;

    private const int SmallestLength = 1024;

    private Meter?[] _slots = new Meter?[SmallestLength];
    private int _count;

    /// <summary>Finds a meter. Any thread.</summary>
    public Meter? Find(uint id)
    {
        Meter?[] slots = Volatile.Read(ref _slots);
        Meter? meter = Volatile.Read(ref slots[id % (uint)slots.Length]);
        return meter?.Id == id ? meter : null;
    }

    /// <summary>Offers a packet to a meter; one that does not exist lets every packet pass. Any worker.</summary>
    /// <param name="id">Number of the meter.</param>
    /// <param name="length">Bytes of the packet.</param>
    /// <returns>Whether the packet is to be dropped.</returns>
    public bool IsOver(uint id, int length) => Find(id) is { } meter && meter.IsOver(length, Environment.TickCount64);

    /// <summary>Adds a meter, in place of one with the same number. Control thread only.</summary>
    /// <param name="meter">The new one.</param>
    /// <param name="replaced">The old one, or null.</param>
    /// <returns>EBUSY when another meter has its slot, EFBIG when there are too many.</returns>
    public Errno Put(Meter meter, out Meter? replaced)
    {
        ArgumentNullException.ThrowIfNull(meter);
        replaced = null;
        uint slot = meter.Id % (uint)_slots.Length;
        if (_slots[slot] is { } other && other.Id != meter.Id)
        {
            return Errno.Busy;
        }

        if (_slots[slot] is null && _count + 1 >= MaximumCount)
        {
            return Errno.FileTooBig;
        }

        replaced = _slots[slot];
        Volatile.Write(ref _slots[slot], meter);
        if (replaced is null && ++_count >= _slots.Length)
        {
            Resize(_slots.Length * 2);
        }

        return Errno.None;
    }

    /// <summary>Removes a meter. Control thread only.</summary>
    /// <returns>The meter, or null when there was none.</returns>
    public Meter? Remove(uint id)
    {
        uint slot = id % (uint)_slots.Length;
        if (_slots[slot] is not { } meter || meter.Id != id)
        {
            return null;
        }

        Volatile.Write(ref _slots[slot], null);
        _count--;
        if (_slots.Length > SmallestLength && _count <= _slots.Length / 4 && Array.TrueForAll(_slots[(_slots.Length / 2)..], static other => other is null))
        {
            Resize(_slots.Length / 2);
        }

        return meter;
    }

    // A longer array separates what a shorter one let in, and a shorter one is only taken when its other half is empty: no two collide.
    private void Resize(int length)
    {
        Meter?[] slots = new Meter?[length];
        foreach (Meter? meter in _slots)
        {
            if (meter is not null)
            {
                slots[meter.Id % (uint)length] = meter;
            }
        }

        Volatile.Write(ref _slots, slots);
    }
}
