using System.Runtime.InteropServices;

namespace Engine.Platform;

/// <summary>Where datagrams come from: a socket in service, memory in tests.</summary>
/// <remarks>Threads: one receives.</remarks>
internal interface IDatagramSource
{
    /// <summary>What to wait on once <see cref="Receive"/> has found nothing; null where nothing can be waited on.</summary>
    SafeHandle? WaitHandle { get; }

    /// <summary>Adds the datagrams that have arrived, as far as there is room.</summary>
    void Receive(DatagramBatch datagrams);
}
