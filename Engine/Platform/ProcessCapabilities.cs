using System.Globalization;

namespace Engine.Platform;

/// <summary>What another process may do, as /proc tells it.</summary>
internal static class ProcessCapabilities
{
    private const int NetworkAdministration = 12; // CAP_NET_ADMIN

    /// <summary>Whether a process may change the network. One that is gone may not.</summary>
    public static bool HasNetworkAdministration(int processId)
    {
        try
        {
            foreach (string line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/status")))
            {
                if (line.StartsWith("CapEff:", StringComparison.Ordinal))
                {
                    ulong effective = ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                    return (effective >> NetworkAdministration & 1) != 0;
                }
            }
        }
        catch (IOException)
        {
            // The process is gone.
        }

        return false;
    }
}
