using System.Numerics;
using Engine.Pipelines;

namespace Engine.Generators.Pipelines;

/// <summary>A hash under which no two of given keys meet: a displacement for each bucket, found by trying, fullest bucket first.</summary>
internal sealed class PerfectHash
{
    private const int MaximumDisplacement = ushort.MaxValue;
    private const ulong FirstSeed = 0x5851_f42d_4c95_7f2d;

    private PerfectHash(ulong seed, int[] displacements, int[] keyAt)
    {
        Seed = seed;
        Displacements = displacements;
        KeyAt = keyAt;
    }

    /// <summary>What hashing starts with.</summary>
    public ulong Seed { get; }

    /// <summary>By bucket; a power of two of them.</summary>
    public int[] Displacements { get; }

    /// <summary>Which key is at a place, -1 for none; a power of two of them.</summary>
    public int[] KeyAt { get; }

    /// <summary>Finds one. The keys differ.</summary>
    /// <param name="keys">Each in words of 64 bits.</param>
    public static PerfectHash Find(IReadOnlyList<ulong[]> keys)
    {
        // Three quarters full at most, about two keys a bucket; the next seed when a bucket finds no room.
        int places = (int)BitOperations.RoundUpToPowerOf2((uint)(keys.Count * 4 / 3) + 1);
        int buckets = Math.Max(1, places / 4);
        for (ulong seed = FirstSeed; ; seed += 2)
        {
            if (TryFind(keys, seed, buckets, places) is { } found)
            {
                return found;
            }
        }
    }

    private static PerfectHash? TryFind(IReadOnlyList<ulong[]> keys, ulong seed, int buckets, int places)
    {
        ulong[] hashes = new ulong[keys.Count];
        List<int>[] inBucket = new List<int>[buckets];
        for (int i = 0; i < keys.Count; i++)
        {
            ulong hash = seed;
            foreach (ulong word in keys[i])
            {
                hash = PipelineHash.Add(hash, word);
            }

            hashes[i] = hash;
            (inBucket[PipelineHash.Bucket(hash, buckets - 1)] ??= []).Add(i);
        }

        int[] displacements = new int[buckets], keyAt = new int[places];
        Array.Fill(keyAt, -1);
        foreach (int bucket in Enumerable.Range(0, buckets).Where(bucket => inBucket[bucket] is not null).OrderByDescending(bucket => inBucket[bucket].Count))
        {
            if (!TryPlace(inBucket[bucket], hashes, keyAt, out displacements[bucket]))
            {
                return null;
            }
        }

        return new PerfectHash(seed, displacements, keyAt);
    }

    private static bool TryPlace(List<int> keys, ulong[] hashes, int[] keyAt, out int displacement)
    {
        for (displacement = 0; displacement <= Math.Min(MaximumDisplacement, keyAt.Length); displacement++)
        {
            int placed = 0;
            while (placed < keys.Count && TryTake(keyAt, PipelineHash.Place(hashes[keys[placed]], displacement, keyAt.Length - 1), keys[placed]))
            {
                placed++;
            }

            if (placed == keys.Count)
            {
                return true;
            }

            for (int i = 0; i < placed; i++)
            {
                keyAt[PipelineHash.Place(hashes[keys[i]], displacement, keyAt.Length - 1)] = -1;
            }
        }

        return false;
    }

    private static bool TryTake(int[] keyAt, int place, int key)
    {
        bool isFree = keyAt[place] < 0;
        keyAt[place] = isFree ? key : keyAt[place];
        return isFree;
    }
}
