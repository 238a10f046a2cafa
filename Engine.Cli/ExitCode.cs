namespace Engine.Cli;

/// <summary>What the command's exit codes mean.</summary>
internal static class ExitCode
{
    /// <summary>Everything was done.</summary>
    public const int Success = 0;

    /// <summary>Bad arguments, flows or files: nothing was done, or it could not be brought to an end.</summary>
    public const int BadInput = 2;

    /// <summary>The engine was asked, and refused; ovs-dpctl ends with the same.</summary>
    public const int Refused = 1;

    /// <summary>A capture is damaged: everything before the damage was done.</summary>
    public const int DamagedCapture = 3;
}
