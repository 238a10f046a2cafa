using Engine.Platform;
using Engine.Primitives;
using Engine.Vports;

namespace Bench.Live;

/// <summary>The kernel's own limit on these wires: an XDP program on "left" that redirects every frame to "right". One way only.</summary>
internal sealed class RedirectPeer : ILivePeer
{
    private const byte MoveImmediate = 0xb7, CallFunction = 0x85, ExitProgram = 0x95;
    private const int Redirect = 23; // BPF_FUNC_redirect
    private const int Drop = 1; // XDP_DROP

    public string Name => "kernel, XDP redirect";

    public bool IsSwitch => false;

    public string? Missing => null;

    public IDisposable Start(LiveNetwork network)
    {
        int right = LiveNetwork.In(network.Switch, () => IndexOf("right"));

        // A veth device takes redirected frames only when its peer has a program too.
        FileDescriptor end = LiveNetwork.In(network.Right, () => Attach("eth", [new() { code = MoveImmediate, imm = Drop }, new() { code = ExitProgram }]));
        FileDescriptor link = LiveNetwork.In(network.Switch, () => Attach("left",
        [
            new() { code = MoveImmediate, regs = 1, imm = right },
            new() { code = MoveImmediate, regs = 2, imm = 0 },
            new() { code = CallFunction, imm = Redirect },
            new() { code = ExitProgram },
        ]));
        return new Undo(() =>
        {
            link.Dispose();
            end.Dispose();
        });
    }

    private static FileDescriptor Attach(string device, Libc.bpf_insn[] instructions)
    {
        using FileDescriptor program = Bpf.LoadProgram(Libc.BPF_PROG_TYPE_XDP, instructions, 0, "bpf PROG_LOAD (xdp)");
        Errno errno = Bpf.TryAttach(program, IndexOf(device), Libc.BPF_XDP, Libc.XDP_FLAGS_DRV_MODE, out FileDescriptor? link);
        return link ?? throw new SystemCallException($"bpf LINK_CREATE (xdp, {device})", errno);
    }

    private static int IndexOf(string device)
    {
        _ = Netdev.TryOpen(device, out Netdev? netdev);
        using (netdev)
        {
            return netdev!.Index;
        }
    }
}
