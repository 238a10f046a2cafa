using Engine.Cli;
using Engine.Control;
using Engine.Datapaths;
using Engine.Packets;
using Engine.Tests.Conformance;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>What <c>engine run</c> puts together, in this process and in a network namespace, with its workers to be looked at.</summary>
internal sealed class LiveSwitch : IDisposable
{
    private readonly NetworkNamespace _space;
    private readonly HostVportFactory _factory = new();
    private readonly DeviceFollower _follower;

    /// <summary>Starts an engine.</summary>
    /// <param name="space">Where its devices are.</param>
    /// <param name="workers">How many workers receive.</param>
    /// <param name="script">Verbs of dpctl.</param>
    public LiveSwitch(NetworkNamespace space, int workers, string script)
    {
        _space = space;
        Runner = new VportRunner(new WorkerOptions { Count = workers });
        Server = new ControlServer(_factory, new ControlServerOptions
        {
            Runner = Runner,
            Datapath = new DatapathOptions { FrameSize = PacketPool.XdpFrameSize, FrameCount = 8192 },
        });
        _follower = space.Call(() => new DeviceFollower(Server));
        Listener = new MemoryClient(77);
        Assert.True(Server.TryAdd(Listener));
        try
        {
            Do(script);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public VportRunner Runner { get; }

    public ControlServer Server { get; }

    /// <summary>A client, to listen to what the server tells.</summary>
    public MemoryClient Listener { get; }

    public ControlledDatapath Datapath => Server.CurrentDatapaths[0];

    /// <summary>Two ports, "left" as 1 and "right" as 2, that send to each other whatever comes.</summary>
    public static string Joined(string options = "") => $"""
        add-dp dp-live
        add-if dp-live left{options}
        add-if dp-live right{options}
        add-flow dp-live in_port(1),eth() 2
        add-flow dp-live in_port(2),eth() 1
        """;

    /// <summary>Carries verbs out; fails when one does not succeed.</summary>
    public void Do(string script) => Assert.True(TryDo(script, out string error), error);

    /// <summary>Carries verbs out.</summary>
    public bool TryDo(string script, out string error)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, script);
            using StringWriter output = new(), fault = new();
            bool done = _space.Call(() => DpctlScript.Run(Server, path, output, fault));
            error = fault.ToString();
            return done;
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>The port of a name, or null.</summary>
    public ControlledVport? Find(string name) => Server.Datapaths.FindVport(name);

    public void Dispose()
    {
        _follower?.Dispose();
        Server.Dispose();
        Runner.Dispose();
        _factory.Dispose();
    }
}
