namespace Engine.Meters;

/// <summary>One token bucket of a meter: its settings, its level, and what went over it.</summary>
/// <param name="type">OVS_METER_BAND_TYPE_*; only 1, drop, does anything.</param>
/// <param name="rate">Kilobits or packets a second, not 0.</param>
/// <param name="burst">Kilobits or packets.</param>
public sealed class MeterBand(uint type, uint rate, uint burst)
{
    /// <summary>OVS_METER_BAND_TYPE_DROP.</summary>
    public const uint Drop = 1;

    private ulong _packets;
    private ulong _bytes;

    /// <summary>OVS_METER_BAND_TYPE_*.</summary>
    public uint Type { get; } = type;

    /// <summary>Kilobits or packets a second.</summary>
    public uint Rate { get; } = rate;

    /// <summary>The most the bucket holds, in bits or thousandths of a packet.</summary>
    public ulong Capacity { get; } = burst * 1000ul;

    /// <summary>What went over the band.</summary>
    public MeterStats Stats => new(Volatile.Read(ref _packets), Volatile.Read(ref _bytes));

    /// <summary>The level of the bucket, in bits or thousandths of a packet. It starts full.</summary>
    internal ulong Level { get; set; } = burst * 1000ul;

    internal void CountOver(int length)
    {
        _packets++;
        _bytes += (uint)length;
    }
}
