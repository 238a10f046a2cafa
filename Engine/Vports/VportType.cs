namespace Engine.Vports;

/// <summary>What a vport is. Values up to 255 are OVS_VPORT_TYPE_* of linux/openvswitch.h; the others exist only here.</summary>
public enum VportType
{
    /// <summary>Not a vport.</summary>
    Unspecified = 0,

    /// <summary>An existing network device.</summary>
    Netdev = 1,

    /// <summary>A device of the datapath's own that the host uses.</summary>
    Internal = 2,

    /// <summary>A GRE tunnel.</summary>
    Gre = 3,

    /// <summary>A VXLAN tunnel.</summary>
    Vxlan = 4,

    /// <summary>A Geneve tunnel.</summary>
    Geneve = 5,

    /// <summary>A GRE tunnel with ids of 64 bits. This and the next ones are numbers of Open vSwitch's, not of the kernel's.</summary>
    Gre64 = 104,

    /// <summary>A LISP tunnel.</summary>
    Lisp = 105,

    /// <summary>An ERSPAN mirror over IPv4.</summary>
    Erspan = 107,

    /// <summary>An ERSPAN mirror over IPv6.</summary>
    Ip6Erspan = 108,

    /// <summary>A GRE tunnel over IPv6.</summary>
    Ip6Gre = 109,

    /// <summary>A GTP-U tunnel.</summary>
    Gtpu = 110,

    /// <summary>IP or MPLS right behind UDP.</summary>
    BareUdp = 111,

    /// <summary>An IPv6 segment routing tunnel.</summary>
    Srv6 = 112,

    /// <summary>A capture file read from, written to, or both.</summary>
    Pcap = 256,

    /// <summary>Memory: packets put in by the program, packets taken out by it.</summary>
    Loopback = 257,

    /// <summary>Discards what is sent to it and never receives.</summary>
    Null = 258,
}
