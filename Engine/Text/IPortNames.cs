namespace Engine.Text;

/// <summary>Knows ports of a datapath by name and by number, so that text may name them.</summary>
public interface IPortNames
{
    /// <summary>Finds the number of a port.</summary>
    /// <returns>False if there is no port of that name.</returns>
    bool TryGetNumber(string name, out uint number);

    /// <summary>Finds the name of a port.</summary>
    /// <returns>False if there is no port of that number: the number is printed.</returns>
    bool TryGetName(uint number, out string name);
}
