using Bench.Peers;
using BenchmarkDotNet.Running;

if (args is ["peers", ..])
{
    return PeersCommand.Run(args.AsSpan(1));
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
