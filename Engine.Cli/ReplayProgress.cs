using Spectre.Console;

namespace Engine.Cli;

/// <summary>The progress bar of a long replay, where somebody can see it.</summary>
internal static class ReplayProgress
{
    // A capture below this many bytes is done before a bar is drawn.
    private const long LongCapture = 64 << 20;

    /// <summary>Whether there is reason to show one.</summary>
    public static bool Wanted(TextWriter output, ReplayOptions options, long captureLength) =>
        !options.IsJson && captureLength >= LongCapture && ReplayOutput.IsTerminal(output);

    /// <summary>Shows one while <paramref name="play"/> runs, which tells how many bytes it has read.</summary>
    public static void Show(long captureLength, Action<Action<long>> play) => AnsiConsole
        .Progress()
        .AutoClear(true)
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
        .Start(context =>
        {
            ProgressTask task = context.AddTask("replaying", maxValue: captureLength);
            play(position => task.Value = position);
        });
}
