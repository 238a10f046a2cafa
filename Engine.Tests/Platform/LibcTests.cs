using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Engine.Platform;
using Engine.Tests.Live;

namespace Engine.Tests.Platform;

/// <summary>The structures and constants of the C library and the kernel, asked of the C compiler.</summary>
public sealed class LibcTests
{
    private const string Includes = """
        #define _GNU_SOURCE
        #include <stddef.h>
        #include <stdio.h>
        #include <fcntl.h>
        #include <poll.h>
        #include <sched.h>
        #include <unistd.h>
        #include <signal.h>
        #include <sys/epoll.h>
        #include <sys/ioctl.h>
        #include <sys/mman.h>
        #include <sys/prctl.h>
        #include <sys/resource.h>
        #include <sys/socket.h>
        #include <sys/time.h>
        #include <sys/syscall.h>
        #include <sys/uio.h>
        #include <sys/un.h>
        #include <net/if.h>
        #include <net/if_arp.h>
        #include <netinet/in.h>
        #include <netinet/udp.h>
        #include <linux/audit.h>
        #include <linux/bpf.h>
        #include <linux/capability.h>
        #include <linux/ethtool.h>
        #include <linux/filter.h>
        #include <linux/if_ether.h>
        #include <linux/if_link.h>
        #include <linux/if_packet.h>
        #include <linux/if_tun.h>
        #include <linux/if_xdp.h>
        #include <linux/io_uring.h>
        #include <linux/netlink.h>
        #include <linux/seccomp.h>
        #include <linux/sockios.h>
        #include <linux/virtio_net.h>
        """;

    // Where a field has another name in C: nested structures, unions and C# keywords.
    private static readonly Dictionary<string, string> CNames = new()
    {
        ["ifreq.ifr_hwaddr_family"] = "ifr_hwaddr.sa_family",
        ["ifreq.ifr_hwaddr_data"] = "ifr_hwaddr.sa_data",
        ["bpf_attr.link_create_prog_fd"] = "link_create.prog_fd",
        ["bpf_attr.link_create_target_ifindex"] = "link_create.target_ifindex",
        ["bpf_attr.link_create_attach_type"] = "link_create.attach_type",
        ["bpf_attr.link_create_flags"] = "link_create.flags",
        ["bpf_attr.link_detach_link_fd"] = "link_detach.link_fd",
        ["seccomp_notif.nr"] = "data.nr",
        ["seccomp_notif.arch"] = "data.arch",
        ["seccomp_notif.instruction_pointer"] = "data.instruction_pointer",
        ["seccomp_notif.args"] = "data.args",
        ["BPF_LD_W_ABS"] = "BPF_LD | BPF_W | BPF_ABS",
        ["BPF_JMP_JEQ_K"] = "BPF_JMP | BPF_JEQ | BPF_K",
        ["BPF_JMP_JGE_K"] = "BPF_JMP | BPF_JGE | BPF_K",
        ["BPF_RET_K"] = "BPF_RET | BPF_K",
        ["BPF_LD_B_ABS"] = "BPF_LD | BPF_B | BPF_ABS",
        ["BPF_LD_H_ABS"] = "BPF_LD | BPF_H | BPF_ABS",
        ["BPF_LD_H_IND"] = "BPF_LD | BPF_H | BPF_IND",
        ["BPF_ALU_AND_K"] = "BPF_ALU | BPF_AND | BPF_K",
        ["BPF_ALU_LSH_K"] = "BPF_ALU | BPF_LSH | BPF_K",
        ["BPF_MISC_TAX"] = "BPF_MISC | BPF_TAX",
        ["bpf_insn.regs"] = "code) + 1 + 0 * offsetof(struct bpf_insn, code",
    };

    // Structures whose end the engine leaves out because the kernel takes the shorter, older form too; and attributes of one size.
    private static readonly HashSet<string> Shorter = ["xdp_umem_reg", "bpf_attr"];

    // Newer than the headers of the oldest system that is supported.
    private static readonly HashSet<string> NewConstants = ["BPF_TCX_INGRESS", "PACKET_FANOUT_FLAG_IGNORE_OUTGOING", "TCX_DROP", "XDP_USE_SG", "XDP_PKT_CONTD", "TUN_F_USO4", "TUN_F_USO6", "IORING_OP_READ_MULTISHOT", "SECCOMP_IOCTL_NOTIF_SET_FLAGS", "SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP"];

    // Fields that newer headers name otherwise; their structures' sizes are asked.
    private static readonly HashSet<string> Renamed = ["io_sqring_offsets.user_addr", "io_cqring_offsets.user_addr", "io_uring_buf_reg.flags"];

    [SkippableFact]
    public void Sizes_offsets_and_constants_are_those_of_the_C_compiler()
    {
        Requires.Program("gcc");
        StringBuilder program = new(Includes);
        program.AppendLine().AppendLine("int main(void) {");
        List<(string Name, long Ours)> asked = [];
        foreach (Type type in typeof(Libc).GetNestedTypes().Where(type => type.IsValueType && type.GetCustomAttribute<InlineArrayAttribute>() is null))
        {
            string c = type.Name is "bpf_attr" ? "union bpf_attr" : $"struct {type.Name}";
            if (!Shorter.Contains(type.Name))
            {
                Ask($"sizeof({type.Name})", $"sizeof({c})", SizeOf(type));
            }

            foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public).Where(field => !Renamed.Contains($"{type.Name}.{field.Name}")))
            {
                string name = CNames.GetValueOrDefault($"{type.Name}.{field.Name}", field.Name);
                Ask($"{type.Name}.{field.Name}", $"offsetof({c}, {name})", OffsetOf(type, field));
            }
        }

        foreach (FieldInfo constant in typeof(Libc).GetFields(BindingFlags.Static | BindingFlags.Public).Where(field => field.IsLiteral))
        {
            if (NewConstants.Contains(constant.Name))
            {
                continue;
            }

            Ask(constant.Name, CNames.GetValueOrDefault(constant.Name, constant.Name), Convert.ToInt64(constant.GetRawConstantValue() is nuint value ? (ulong)value : constant.GetRawConstantValue(), null));
        }

        Ask("SYS_bpf", "SYS_bpf", Libc.SYS_bpf);
        program.AppendLine("return 0; }");
        string[] answers = CompileAndRun(program.ToString());
        Assert.Equal(asked.Count, answers.Length);
        Assert.All(asked.Zip(answers), pair => Assert.Equal($"{pair.First.Name} = {pair.First.Ours}", $"{pair.First.Name} = {pair.Second}"));

        void Ask(string name, string expression, long ours)
        {
            asked.Add((name, ours));
            program.AppendLine($"printf(\"%lld\\n\", (long long)({expression}));");
        }
    }

    // The layout in memory, which with marshalling off is also the one that C sees.
    private static long SizeOf(Type type) =>
        Convert.ToInt64(typeof(Unsafe).GetMethod("SizeOf")!.MakeGenericMethod(type).Invoke(null, null), null);

    private static long OffsetOf(Type type, FieldInfo field)
    {
        if (field.GetCustomAttribute<FieldOffsetAttribute>() is { } explicitly)
        {
            return explicitly.Value;
        }

        // Sequential: every field at the next multiple of its alignment.
        long offset = 0;
        foreach (FieldInfo each in type.GetFields(BindingFlags.Instance | BindingFlags.Public).OrderBy(each => each.MetadataToken))
        {
            long size = each.FieldType.IsPointer ? IntPtr.Size : SizeOf(each.FieldType);
            long alignment = AlignmentOf(each.FieldType);
            offset = (offset + alignment - 1) / alignment * alignment;
            if (each == field)
            {
                return offset;
            }

            offset += size;
        }

        throw new ArgumentException("Not a field of the type.", nameof(field));
    }

    private static long AlignmentOf(Type type) =>
        type.IsPointer ? IntPtr.Size
        : type.IsPrimitive ? SizeOf(type)
        : type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Max(field => AlignmentOf(field.FieldType));

    private static string[] CompileAndRun(string program)
    {
        string folder = Directory.CreateTempSubdirectory("engine-libc-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "ask.c"), program);
            using Process process = Process.Start(new ProcessStartInfo("sh", ["-ec", "gcc -o ask ask.c && ./ask"])
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, error.Result);
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
