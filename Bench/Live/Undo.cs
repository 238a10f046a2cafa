namespace Bench.Live;

/// <summary>Undoes what was done, once.</summary>
internal sealed class Undo(Action action) : IDisposable
{
    public void Dispose() => action();
}
