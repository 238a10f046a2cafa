namespace Engine.Text;

/// <summary>Reads a flows file: one flow a line, <c>KEY ACTIONS</c> or what ovs-dpctl dump-flows prints; <c>#</c> comments and blank lines.</summary>
/// <remarks>Threads: no state.</remarks>
public static class FlowFile
{
    /// <summary>Reads flows. Every bad line gives one error; reading goes on after it.</summary>
    /// <param name="name">Name of the file for errors; it is not opened.</param>
    /// <param name="content">The content.</param>
    /// <param name="flows">The flows of the good lines.</param>
    /// <param name="errors">The errors, in the order of the lines.</param>
    /// <param name="ports">Ports that may be named; null: numbers only.</param>
    /// <returns>False when there are errors.</returns>
    public static bool TryParse(
        string name,
        string content,
        out IReadOnlyList<FlowLine> flows,
        out IReadOnlyList<FlowFileError> errors,
        IPortNames? ports = null) => throw new NotSupportedException();
}
