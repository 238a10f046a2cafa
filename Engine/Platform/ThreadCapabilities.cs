namespace Engine.Platform;

/// <summary>The capabilities of a thread while it does something for a program that may do less than the engine (capabilities(7)).</summary>
/// <remarks>Threads: the one that made it.</remarks>
internal readonly unsafe ref struct ThreadCapabilities
{
    private const int NetworkAdministration = 12;

    // Effective, permitted and inheritable, of the capabilities 0 to 31, then of the others.
    private const int Words = 6;

    private readonly bool _isLowered;

    private ThreadCapabilities(bool isLowered) => _isLowered = isLowered;

    /// <summary>Takes CAP_NET_ADMIN from the calling thread until the result is disposed.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public static ThreadCapabilities WithoutNetworkAdministration() => new(TrySet(isEffective: false));

    /// <summary>Gives it back, if the thread had it.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public void Dispose()
    {
        if (_isLowered)
        {
            TrySet(isEffective: true);
        }
    }

    // Returns whether anything has changed.
    private static bool TrySet(bool isEffective)
    {
        Libc.__user_cap_header_struct header = new() { version = Libc._LINUX_CAPABILITY_VERSION_3 };
        uint* words = stackalloc uint[Words];
        SystemCallException.ThrowIfFailed(Libc.capget(&header, words), "capget");
        uint before = words[0];
        words[0] = isEffective ? before | (1u << NetworkAdministration) : before & ~(1u << NetworkAdministration);
        if (words[0] == before)
        {
            return false;
        }

        SystemCallException.ThrowIfFailed(Libc.capset(&header, words), "capset");
        return true;
    }
}
