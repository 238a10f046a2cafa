using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Engine.Tests.Live;

/// <summary>Traffic between two hosts, with what arrives compared by digest to what was sent.</summary>
internal static class Traffic
{
    /// <summary>Pings from one host, IPv4 and IPv6; fails when none of the five is answered.</summary>
    public static void Ping(NetworkNamespace from, int number, int size = 56)
    {
        foreach (string address in (string[])[$"10.77.0.{number}", $"fd77::{number}"])
        {
            // The first one may wait for address resolution, hence the long timeout; it counts only while no answer has come.
            from.Run($"ping -n -q -c 5 -i 0.05 -W 30 -s {size} {address}");
        }
    }

    /// <summary>Sends bytes through a TCP connection and compares digests.</summary>
    /// <param name="from">The host that connects and sends.</param>
    /// <param name="to">The host that listens.</param>
    /// <param name="address">Where the receiver listens.</param>
    /// <param name="bytes">How many, of a seeded pseudo-random stream.</param>
    /// <returns>Bytes per second.</returns>
    public static double Tcp(NetworkNamespace from, NetworkNamespace to, string address, long bytes)
    {
        IPAddress ip = IPAddress.Parse(address);
        using Socket listener = to.Call(() => new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(ip, 0));
        listener.Listen(1);
        using Socket sender = from.Call(() => new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        sender.SendTimeout = 30_000;
        byte[] chunk = new byte[1 << 20];
        new Random(77).NextBytes(chunk);

        Task<byte[]> received = Task.Run(() =>
        {
            using Socket receiver = listener.Accept();
            receiver.ReceiveTimeout = 30_000;
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] buffer = new byte[1 << 18];
            for (int length; (length = receiver.Receive(buffer)) != 0;)
            {
                hash.AppendData(buffer, 0, length);
            }

            return hash.GetHashAndReset();
        });

        long started = Stopwatch.GetTimestamp();
        using CancellationTokenSource timeout = new(20_000);
        sender.ConnectAsync(listener.LocalEndPoint!, timeout.Token).AsTask().GetAwaiter().GetResult();
        using IncrementalHash sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long left = bytes; left > 0;)
        {
            int length = (int)Math.Min(left, chunk.Length);
            sender.Send(chunk.AsSpan(0, length));
            sent.AppendData(chunk, 0, length);
            left -= length;
        }

        sender.Shutdown(SocketShutdown.Send);
        Assert.True(received.Wait(Eventually.Limit), "The receiver did not see the end of the stream.");
        Assert.Equal(sent.GetHashAndReset(), received.Result);
        return bytes / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Sends datagrams of a size, one at a time, and has each come back; compares every byte.</summary>
    public static void Udp(NetworkNamespace from, NetworkNamespace to, string address, int size, int count)
    {
        IPAddress ip = IPAddress.Parse(address);
        using Socket server = to.Call(() => new Socket(ip.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        using Socket client = from.Call(() => new Socket(ip.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        server.Bind(new IPEndPoint(ip, 0));
        server.ReceiveTimeout = client.ReceiveTimeout = 20_000;
        client.Connect(server.LocalEndPoint!);
        byte[] sent = new byte[size], received = new byte[size + 1];
        Random random = new(size);
        EndPoint sender = new IPEndPoint(ip, 0);
        for (int i = 0; i < count; i++)
        {
            random.NextBytes(sent);
            client.Send(sent);
            int length = server.ReceiveFrom(received, ref sender);
            Assert.Equal(sent, received[..length]);
            server.SendTo(received.AsSpan(0, length), sender);
            length = client.Receive(received);
            Assert.Equal(sent, received[..length]);
        }
    }
}
