using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Bench;

/// <summary><c>churn ADDRESS RATE SECONDS</c>: datagrams of which none has the ports of another, so that each needs a flow of its own. Used by <c>setup.sh</c>.</summary>
internal static class PortChurn
{
    private const int FirstPort = 1024, PortsPerSocket = 60_000;

    /// <summary>Sends at a steady rate and tells how many it sent.</summary>
    public static int Run(string[] arguments)
    {
        IPAddress address = IPAddress.Parse(arguments[0]);
        int rate = int.Parse(arguments[1], CultureInfo.InvariantCulture);
        double seconds = double.Parse(arguments[2], CultureInfo.InvariantCulture);
        byte[] payload = new byte[18];
        long sent = 0, total = (long)(rate * seconds);
        Stopwatch clock = Stopwatch.StartNew();
        while (sent < total)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            for (int i = 0; i < PortsPerSocket && sent < total; i++)
            {
                socket.SendTo(payload, new IPEndPoint(address, FirstPort + i));
                sent++;
                while (sent > clock.Elapsed.TotalSeconds * rate)
                {
                    Thread.Sleep(1);
                }
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sent} {clock.Elapsed.TotalSeconds:F3}"));
        return 0;
    }
}
