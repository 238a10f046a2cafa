namespace Engine.Meters;

/// <summary>A rate limiter: token buckets that every packet draws from.</summary>
/// <remarks>
/// <para>Buckets hold bits or thousandths of a packet, so that milliseconds times the rate (kilobits or packets a second) fill them.</para>
/// <para>Threads: any worker may offer packets; a lock inside keeps the buckets whole.</para>
/// </remarks>
public sealed class Meter
{
    private readonly Lock _lock = new();
    private readonly MeterBand[] _bands;
    private readonly bool _countsBits;
    private readonly uint _longestRefillMs;
    private ulong _packets;
    private ulong _bytes;
    private long _usedAtMs;

    /// <summary>Makes a meter with full buckets.</summary>
    /// <param name="id">Its number.</param>
    /// <param name="countsBits">Whether rates are in kilobits a second; otherwise in packets a second.</param>
    /// <param name="keepsStats">Whether what it has counted is told when it is replaced.</param>
    /// <param name="stats">What it starts to count from.</param>
    /// <param name="bands">Its buckets; may be empty, then nothing is ever over.</param>
    /// <param name="nowMs">Milliseconds of the monotonic clock.</param>
    public Meter(uint id, bool countsBits, bool keepsStats, MeterStats stats, MeterBand[] bands, long nowMs)
    {
        ArgumentNullException.ThrowIfNull(bands);
        Id = id;
        KeepsStats = keepsStats;
        _countsBits = countsBits;
        _bands = bands;
        _packets = stats.Packets;
        _bytes = stats.Bytes;
        _usedAtMs = nowMs;
        foreach (MeterBand band in bands)
        {
            // Time enough to fill any bucket: longer pauses are cut to it, so that no bucket overflows. The kernel rounds it down, and
            // so never fills a bucket whose rate is above a thousand times its burst.
            _longestRefillMs = Math.Max(_longestRefillMs, (uint)Math.Min(uint.MaxValue, (band.Capacity + band.Rate - 1) / band.Rate));
        }
    }

    /// <summary>Its number.</summary>
    public uint Id { get; }

    /// <summary>Whether what it has counted is told when it is replaced (set without OVS_METER_ATTR_CLEAR).</summary>
    public bool KeepsStats { get; }

    /// <summary>What was offered to the meter.</summary>
    public MeterStats Stats => new(Volatile.Read(ref _packets), Volatile.Read(ref _bytes));

    /// <summary>When the last packet was offered, in milliseconds of the monotonic clock; when it was made, if none was.</summary>
    public long UsedAtMs => Volatile.Read(ref _usedAtMs);

    /// <summary>The buckets.</summary>
    public IReadOnlyList<MeterBand> Bands => _bands;

    /// <summary>Offers a packet: fills the buckets for the time that went by, and draws the packet from each that has enough.</summary>
    /// <param name="length">Bytes of the packet.</param>
    /// <param name="nowMs">Milliseconds of the monotonic clock.</param>
    /// <returns>Whether the packet is to be dropped: of the bands that lacked something, the one with the highest rate says so.</returns>
    public bool IsOver(int length, long nowMs)
    {
        lock (_lock)
        {
            ulong elapsedMs = Math.Min((ulong)Math.Max(0, nowMs - _usedAtMs), _longestRefillMs);
            _usedAtMs = nowMs;
            _packets++;
            _bytes += (uint)length;
            ulong cost = _countsBits ? (uint)length * 8ul : 1000;
            MeterBand? exceeded = null;
            foreach (MeterBand band in _bands)
            {
                ulong level = Math.Min(band.Level + (elapsedMs * band.Rate), band.Capacity);
                if (level >= cost)
                {
                    level -= cost;
                }
                else if (exceeded is null || band.Rate > exceeded.Rate)
                {
                    exceeded = band;
                }

                band.Level = level;
            }

            exceeded?.CountOver(length);
            return exceeded is { Type: MeterBand.Drop };
        }
    }
}
