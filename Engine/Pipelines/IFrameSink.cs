using Engine.Actions;
using Engine.Packets;

namespace Engine.Pipelines;

/// <summary>Gets what a pipeline does with a frame when there is no datapath. The frames are valid during the call.</summary>
/// <remarks>Implemented by a struct and passed as a type argument, so that the calls can be inlined. It must not give the pipeline another frame with the same <see cref="PipelineMemory"/> meanwhile.</remarks>
public interface IFrameSink
{
    /// <summary>A frame leaves by a port.</summary>
    void Output(uint port, ReadOnlySpan<byte> frame);

    /// <summary>No flow matched.</summary>
    void Miss(ReadOnlySpan<byte> frame);

    /// <summary>An action hands a copy to user space.</summary>
    void Userspace(ReadOnlySpan<byte> frame, in UserspaceArguments arguments);

    /// <summary>A frame ends for a reason other than leaving.</summary>
    void Drop(DropReason reason);
}
