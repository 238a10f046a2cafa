namespace Engine.Vports;

/// <summary>Whether a device can carry frames.</summary>
public enum NetdevState
{
    /// <summary>Set up by the host.</summary>
    Up,

    /// <summary>Set down by the host; frames sent to it are dropped.</summary>
    Down,

    /// <summary>Deleted, or moved to another network namespace. A driver of it is to be disposed; it never comes back.</summary>
    Gone,
}
