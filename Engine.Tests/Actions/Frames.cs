namespace Engine.Tests.Actions;

/// <summary>Frames that tests of actions start from.</summary>
internal static class Frames
{
    /// <summary>02:..:01 to 02:..:02, 10.0.0.1 port 1000 to 10.0.0.2 port 80, TCP SYN, 32 bytes of payload. From the golden vectors.</summary>
    public static byte[] Tcp4 { get; } = Convert.FromHexString(
        "020000000002020000000001080045000048123400004006547a0a0000010a00000203e8005000000001000000005002200086860000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

    /// <summary>The same behind 802.1Q, VID 5, PCP 3.</summary>
    public static byte[] TaggedTcp4 { get; } = [.. Tcp4[..12], 0x81, 0x00, 0x60, 0x05, .. Tcp4[12..]];

    /// <summary>10.0.0.1 port 1000 to 10.0.0.2 port 53, UDP.</summary>
    public static byte[] Udp4 { get; } = Convert.FromHexString(
        "02000000000202000000000108004500003c123400004011547b0a0000010a00000203e800350028f67d000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

    /// <summary>No protocol above Ethernet that is known.</summary>
    public static byte[] Unknown { get; } = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, .. Enumerable.Repeat((byte)0x5a, 32)];
}
