using System.Diagnostics;

namespace Bench.Live;

/// <summary>Open vSwitch's own userspace datapath (datapath_type=netdev), with a database and a run directory of its own.</summary>
/// <param name="hasSegmentation">Whether userspace-tso-enable is set.</param>
internal sealed class OpenVSwitchPeer(bool hasSegmentation) : ILivePeer
{
    public string Name => hasSegmentation ? "OVS userspace, TSO" : "OVS userspace";

    public bool IsSwitch => true;

    public string? Missing => Shell.Has("ovs-vswitchd") && Shell.Has("ovsdb-server") ? null : "the programs of openvswitch-switch are not installed";

    public IDisposable Start(LiveNetwork network)
    {
        string directory = network.MakeDirectory();
        List<Process> started = [];
        void Stop()
        {
            started.Reverse();
            started.ForEach(Shell.Stop);
            Directory.Delete(directory, recursive: true);
            Shell.Run($"ip -n {network.Switch} link del br0 2>/dev/null || true; ip -n {network.Switch} link del ovs-netdev 2>/dev/null || true");
        }

        try
        {
            string database = $"unix:{directory}/db.sock";
            string control = $"ovs-vsctl --no-syslog --timeout=20 --db={database}";
            Shell.Run($"ovsdb-tool create {directory}/conf.db /usr/share/openvswitch/vswitch.ovsschema");
            started.Add(StartIn(network, directory, "ovsdb-server", $"--remote=punix:{directory}/db.sock", $"--unixctl={directory}/db.ctl", $"{directory}/conf.db"));
            Shell.Run($"for i in $(seq 100); do [ -S {directory}/db.sock ] && break; sleep 0.05; done; {control} --no-wait init");
            if (hasSegmentation)
            {
                Shell.Run($"{control} --no-wait set Open_vSwitch . other_config:userspace-tso-enable=true");
            }

            started.Add(StartIn(network, directory, "ovs-vswitchd", $"--unixctl={directory}/vs.ctl", database));
            Shell.Run($"{control} add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 left -- add-port br0 right");
            return new Undo(Stop);
        }
        catch
        {
            Stop();
            throw;
        }
    }

    private static Process StartIn(LiveNetwork network, string directory, params string[] command)
    {
        Process process = Shell.Start("ip", ["netns", "exec", network.Switch, "env", $"OVS_RUNDIR={directory}", $"OVS_LOGDIR={directory}", $"OVS_DBDIR={directory}", command[0],
            "-vconsole:off", "-vsyslog:off", .. command[1..]]);
        _ = process.StandardOutput.ReadToEndAsync();
        _ = process.StandardError.ReadToEndAsync();
        return process;
    }
}
