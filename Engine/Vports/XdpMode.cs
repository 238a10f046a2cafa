namespace Engine.Vports;

/// <summary>How an XDP program is attached to a device.</summary>
public enum XdpMode
{
    /// <summary>Native where the driver has it, else generic.</summary>
    Auto,

    /// <summary>In the device's driver, before the kernel has made a packet buffer.</summary>
    Native,

    /// <summary>In the kernel's receive path; any device has it.</summary>
    Generic,
}
