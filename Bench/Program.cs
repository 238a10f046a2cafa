using Bench;
using Bench.Live;
using Bench.Peers;
using BenchmarkDotNet.Running;

switch (args)
{
    case ["churn", .. string[] churn]:
        return PortChurn.Run(churn);
    case ["peers", ..]:
        return PeersCommand.Run(args.AsSpan(1));
    case ["stages"]:
        return StagesCommand.Run();
    case ["pipelines"]:
        return PipelineCycles.Run();
    case ["tunnel"]:
        return TunnelBench.Run();
    case ["workers"]:
        return WorkersCommand.Run();
    case ["control", ..]:
        return ControlRates.Run(args.AsSpan(1));
    case ["live", ..]:
        return LiveCommand.Run(args[1..]);
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
