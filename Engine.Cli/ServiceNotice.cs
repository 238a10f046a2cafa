using System.Net.Sockets;

namespace Engine.Cli;

/// <summary>What a service tells systemd about itself (sd_notify(3)).</summary>
internal static class ServiceNotice
{
    /// <summary>Everything is set up, and is served.</summary>
    public const string Ready = "READY=1";

    /// <summary>The service is about to end.</summary>
    public const string Stopping = "STOPPING=1";

    /// <summary>Sends a notice, if whoever started the program wants any (NOTIFY_SOCKET).</summary>
    public static void Send(string notice)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 0 } path)
        {
            return;
        }

        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

            // An at sign stands for the zero byte of an abstract name.
            socket.Connect(new UnixDomainSocketEndPoint(path[0] == '@' ? $"\0{path[1..]}" : path));
            socket.Send(System.Text.Encoding.UTF8.GetBytes(notice));
        }
        catch (SocketException)
        {
            // Nobody listens any more: the service goes on without.
        }
    }
}
