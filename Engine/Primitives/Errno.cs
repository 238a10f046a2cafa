namespace Engine.Primitives;

/// <summary>Linux error numbers (uapi <c>asm-generic/errno-base.h</c> and <c>errno.h</c>), positive.</summary>
public enum Errno
{
    /// <summary>Success.</summary>
    None = 0,

    /// <summary>EPERM: operation not permitted.</summary>
    NotPermitted = 1,

    /// <summary>ENOENT: no such flow, datapath or meter.</summary>
    NoEntry = 2,

    /// <summary>EINTR: a signal came first.</summary>
    Interrupted = 4,

    /// <summary>EIO: input or output error; what a TAP device that is down says.</summary>
    InputOutput = 5,

    /// <summary>ENXIO: no such device or address.</summary>
    NoSuchDeviceOrAddress = 6,

    /// <summary>EBADF: bad file descriptor.</summary>
    BadDescriptor = 9,

    /// <summary>EAGAIN: nothing there now, or no room now.</summary>
    TryAgain = 11,

    /// <summary>ENOMEM: out of memory; also what a too short packet gives when its header is set.</summary>
    NoMemory = 12,

    /// <summary>EACCES: permission denied.</summary>
    AccessDenied = 13,

    /// <summary>EFAULT: bad address.</summary>
    BadAddress = 14,

    /// <summary>EBUSY: device or resource busy.</summary>
    Busy = 16,

    /// <summary>EEXIST: the flow, vport or datapath exists.</summary>
    Exists = 17,

    /// <summary>ENODEV: no such device.</summary>
    NoDevice = 19,

    /// <summary>EINVAL: invalid argument.</summary>
    InvalidArgument = 22,

    /// <summary>EMFILE: too many open files.</summary>
    TooManyFiles = 24,

    /// <summary>EFBIG: file too large.</summary>
    FileTooBig = 27,

    /// <summary>ENOSPC: no space left.</summary>
    NoSpace = 28,

    /// <summary>ERANGE: an attribute's length is out of range.</summary>
    OutOfRange = 34,

    /// <summary>EPROTO: protocol error (the kernel's 71, seen for push_nsh on a tagged packet).</summary>
    Protocol = 71,

    /// <summary>EOVERFLOW: actions are nested too deep.</summary>
    Overflow = 75,

    /// <summary>EBADFD: descriptor in a bad state; what a TAP device that was deleted says.</summary>
    BadDescriptorState = 77,

    /// <summary>EMSGSIZE: message too long.</summary>
    MessageTooLong = 90,

    /// <summary>EOPNOTSUPP: operation not supported.</summary>
    NotSupported = 95,

    /// <summary>EAFNOSUPPORT: address family not supported.</summary>
    AddressFamilyNotSupported = 97,

    /// <summary>EADDRINUSE: address in use.</summary>
    AddressInUse = 98,

    /// <summary>ENETDOWN: actions recursed too deep.</summary>
    NetworkDown = 100,

    /// <summary>ENOBUFS: no buffer space.</summary>
    NoBuffers = 105,

    /// <summary>ETIMEDOUT: connection timed out.</summary>
    TimedOut = 110,

    /// <summary>ECONNREFUSED: nobody there.</summary>
    ConnectionRefused = 111,

    /// <summary>EINPROGRESS: conntrack kept a fragment.</summary>
    InProgress = 115,
}
