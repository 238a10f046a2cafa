using System.Globalization;
using System.Text;

namespace Engine.Platform;

/// <summary>A mark that says to other engines that a device is taken: an abstract Unix socket, whose names belong to the network namespace and go with the process.</summary>
internal sealed unsafe class DeviceClaim : IDisposable
{
    // An engine that has let go of the device a moment ago may still seem to hold it.
    private const int PatienceMs = 500;

    private readonly FileDescriptor _socket;
    private readonly string _name;

    private DeviceClaim(FileDescriptor socket, string name)
    {
        _socket = socket;
        _name = name;
    }

    /// <summary>Makes the mark in the network namespace of the calling thread.</summary>
    /// <returns>Null when somebody else has made it.</returns>
    public static DeviceClaim? TryMake(int interfaceIndex)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"engine/device/{interfaceIndex}");
        FileDescriptor socket = FileDescriptor.Socket(Libc.AF_UNIX, Libc.SOCK_DGRAM, 0);

        // Abstract: the first byte is zero, and the length says where the name ends.
        Libc.sockaddr_un address = new() { sun_family = Libc.AF_UNIX };
        int length = Encoding.ASCII.GetBytes(name, new Span<byte>(address.sun_path + 1, 107));
        Lingering lingering = new(name, PatienceMs);
        do
        {
            if (Libc.bind(socket.Number, &address, (uint)(sizeof(ushort) + 1 + length)) == 0)
            {
                return new DeviceClaim(socket, name);
            }
        }
        while (lingering.Wait());

        socket.Dispose();
        return null;
    }

    /// <summary>Takes the mark away.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        Lingering.Left(_name);
    }
}
