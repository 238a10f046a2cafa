namespace Engine.Cli;

/// <summary>A place in the words of a verb.</summary>
/// <param name="Word">The word, from 0: the verb itself.</param>
/// <param name="Offset">Characters from the start of the word.</param>
internal readonly record struct DpctlPlace(int Word, int Offset = 0);
