using System.Globalization;
using System.Text;

namespace Engine.Platform;

/// <summary>A mark that says to other engines that a device is taken: an abstract Unix socket, whose names belong to the network namespace and go with the process.</summary>
internal static unsafe class DeviceClaim
{
    // An engine that has let go of the device a moment ago may still seem to hold it.
    private const int PatienceMs = 500;

    /// <summary>Makes the mark in the network namespace of the calling thread.</summary>
    /// <returns>What holds it; null when somebody else does.</returns>
    public static FileDescriptor? TryMake(int interfaceIndex)
    {
        FileDescriptor socket = FileDescriptor.Socket(Libc.AF_UNIX, Libc.SOCK_DGRAM, 0);

        // Abstract: the first byte is zero, and the length says where the name ends.
        Libc.sockaddr_un address = new() { sun_family = Libc.AF_UNIX };
        int length = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"engine/device/{interfaceIndex}"), new Span<byte>(address.sun_path + 1, 107));
        int attempt = 0;
        do
        {
            if (Libc.bind(socket.Number, &address, (uint)(sizeof(ushort) + 1 + length)) == 0)
            {
                return socket;
            }
        }
        while (Lingering.Wait(ref attempt, PatienceMs));

        socket.Dispose();
        return null;
    }
}
