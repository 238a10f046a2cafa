using System.Collections.Immutable;
using System.Globalization;

namespace Engine.Platform;

/// <summary>What a process may do, as /proc tells it.</summary>
public static class ProcessCapabilities
{
    private const int NetworkAdministration = 12;
    private const int RawSockets = 13;
    private const int SystemAdministration = 21;
    private const int Bpf = 39;

    /// <summary>The capabilities that live ports need and this process has not, by name. CAP_SYS_ADMIN stands for CAP_BPF, as on kernels before 5.8.</summary>
    public static ImmutableArray<string> FindMissing()
    {
        ulong effective = Read(Environment.ProcessId);
        ImmutableArray<string>.Builder missing = ImmutableArray.CreateBuilder<string>();
        Demand(Has(effective, NetworkAdministration), "CAP_NET_ADMIN");
        Demand(Has(effective, RawSockets), "CAP_NET_RAW");
        Demand(Has(effective, Bpf) || Has(effective, SystemAdministration), "CAP_BPF");
        return missing.ToImmutable();

        void Demand(bool isThere, string name)
        {
            if (!isThere)
            {
                missing.Add(name);
            }
        }
    }

    /// <summary>Whether a process may change the network. One that is gone may not.</summary>
    internal static bool HasNetworkAdministration(int processId) => Has(Read(processId), NetworkAdministration);

    private static bool Has(ulong capabilities, int number) => (capabilities >> number & 1) != 0;

    // The effective capabilities; none of a process that is gone.
    private static ulong Read(int processId)
    {
        try
        {
            foreach (string line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/status")))
            {
                if (line.StartsWith("CapEff:", StringComparison.Ordinal))
                {
                    return ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                }
            }
        }
        catch (IOException)
        {
            // The process is gone.
        }

        return 0;
    }
}
