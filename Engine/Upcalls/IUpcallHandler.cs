namespace Engine.Upcalls;

/// <summary>Takes the packets that no flow matched and those a userspace action sends up: the controller inside the process.</summary>
public interface IUpcallHandler
{
    /// <summary>Handles one upcall. Called by the worker between batches, so the time it takes is not spent on packets.</summary>
    /// <param name="upcall">The packet and its key; valid until the call returns.</param>
    /// <param name="port">What the handler may do with the packet.</param>
    void Handle(ref Upcall upcall, IUpcallReply port);
}
