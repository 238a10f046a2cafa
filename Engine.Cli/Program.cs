using Engine.Cli;

return EngineCommand.Run(args, Console.Out, Console.Error);
