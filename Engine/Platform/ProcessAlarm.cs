namespace Engine.Platform;

/// <summary>The end of this process after some time, by SIGALRM (alarm(2)).</summary>
public static class ProcessAlarm
{
    /// <summary>Sets the alarm.</summary>
    /// <param name="seconds">How long from now; 0 for no alarm.</param>
    public static void Set(uint seconds) => _ = Libc.alarm(seconds);
}
