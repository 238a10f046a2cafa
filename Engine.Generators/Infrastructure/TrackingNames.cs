namespace Engine.Generators.Infrastructure;

/// <summary>Names of the steps of all pipelines, by which tests see what was recomputed.</summary>
internal static class TrackingNames
{
    /// <summary>Flow key: spec and diagnostics of each marked struct.</summary>
    public const string FlowKeyParsed = nameof(FlowKeyParsed);

    /// <summary>Flow key: the spec alone.</summary>
    public const string FlowKeySpec = nameof(FlowKeySpec);

    /// <summary>Flow key: the diagnostics alone.</summary>
    public const string FlowKeyDiagnostics = nameof(FlowKeyDiagnostics);

    /// <summary>Protocol header: spec and diagnostics of each marked struct.</summary>
    public const string HeaderParsed = nameof(HeaderParsed);

    /// <summary>Protocol header: the spec alone.</summary>
    public const string HeaderSpec = nameof(HeaderSpec);

    /// <summary>Protocol header: the diagnostics alone.</summary>
    public const string HeaderDiagnostics = nameof(HeaderDiagnostics);

    /// <summary>Actions: spec and diagnostics of each marked class.</summary>
    public const string ActionParsed = nameof(ActionParsed);

    /// <summary>Actions: the spec alone.</summary>
    public const string ActionSpec = nameof(ActionSpec);

    /// <summary>Actions: the diagnostics alone.</summary>
    public const string ActionDiagnostics = nameof(ActionDiagnostics);

    /// <summary>Netlink: spec and diagnostics of each marked enum.</summary>
    public const string NetlinkParsed = nameof(NetlinkParsed);

    /// <summary>Netlink: the spec alone.</summary>
    public const string NetlinkSpec = nameof(NetlinkSpec);

    /// <summary>Netlink: the diagnostics alone.</summary>
    public const string NetlinkDiagnostics = nameof(NetlinkDiagnostics);
}
