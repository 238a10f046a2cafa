using Engine.Text;

namespace Engine.Tests.Text;

/// <summary>Ports with names, for texts that name them.</summary>
internal sealed class TestPorts : IPortNames
{
    private readonly Dictionary<string, uint> _numbers = [];
    private readonly Dictionary<uint, string> _names = [];

    public void Add(uint number, string name)
    {
        _numbers[name] = number;
        _names[number] = name;
    }

    public bool TryGetNumber(string name, out uint number) => _numbers.TryGetValue(name, out number);

    public bool TryGetName(uint number, out string name)
    {
        bool found = _names.TryGetValue(number, out string? known);
        name = known ?? "";
        return found;
    }
}
