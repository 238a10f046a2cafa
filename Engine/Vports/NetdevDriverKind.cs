namespace Engine.Vports;

/// <summary>Ways to move the frames of an existing device.</summary>
public enum NetdevDriverKind
{
    /// <summary>AF_XDP on physical devices, packet sockets on those made of software and where AF_XDP fails.</summary>
    Auto,

    /// <summary>AF_XDP.</summary>
    Xdp,

    /// <summary>Packet sockets with receive rings.</summary>
    Packet,

    /// <summary>A packet socket moved by io_uring.</summary>
    Uring,
}
