using System.Runtime.CompilerServices;

namespace Engine.Flows;

/// <summary>The <see cref="FlowTemplate"/>s of the flows that were written last, by mask.</summary>
/// <remarks>Threads: the control thread.</remarks>
internal sealed class FlowTemplates
{
    private const int Buckets = 256;

    // So many are tried; a table whose flows are all of different kinds gets no more until the next dump begins.
    private const int Most = 1024;

    // A search passes at most this many: more would cost as much as to write the attributes anew.
    private const int MostOfOneBucket = 32;

    private readonly FlowTemplate?[] _buckets = new FlowTemplate?[Buckets];
    private readonly byte[] _counts = new byte[Buckets];
    private int _tried;

    /// <summary>A dump begins: makes room if there is none.</summary>
    public void Begin()
    {
        if (_tried >= Most)
        {
            Array.Clear(_buckets);
            Array.Clear(_counts);
            _tried = 0;
        }
    }

    /// <summary>The one after which a flow is written, or null.</summary>
    /// <param name="flow">A flow with a UFID that is in its table.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public FlowTemplate? Find(Flow flow)
    {
        int bucket = flow.Mask.GetHashCode() & (Buckets - 1);
        for (FlowTemplate? template = _buckets[bucket]; template is not null; template = template.Next)
        {
            if (template.Fits(flow))
            {
                return template;
            }
        }

        return Add(flow, bucket);
    }

    private FlowTemplate? Add(Flow flow, int bucket)
    {
        if (_tried >= Most || _counts[bucket] >= MostOfOneBucket)
        {
            return null;
        }

        _tried++;
        if (FlowTemplate.TryCreate(flow) is not { } template)
        {
            return null;
        }

        template.Next = _buckets[bucket];
        _buckets[bucket] = template;
        _counts[bucket]++;
        return template;
    }
}
