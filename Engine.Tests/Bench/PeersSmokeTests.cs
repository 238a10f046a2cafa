using System.Text.Json;

namespace Engine.Tests.Bench;

/// <summary>The bench beside peers still runs, with the engine alone and for a moment: counters add up, samples equal the oracle's, nothing is allocated.</summary>
public sealed class PeersSmokeTests
{
    [Fact]
    public void Cases_run_and_cost_no_memory()
    {
        string path = Path.GetTempFileName();
        try
        {
            string[] arguments =
            [
                "peers", "--engine-only", "--seconds", "0.05", "--rounds", "3", "--json", path,
                "--case", "1x1", "--case", "1000x64", "--case", "20000x10-nat", "--case", "20000x10-ipv6", "--case", "never", "--case", "churn", "--case", "upcalls",
            ];
            object? code = typeof(global::Bench.Traffic).Assembly.EntryPoint!.Invoke(null, [arguments]);
            Assert.Equal(0, code);
            using JsonDocument result = JsonDocument.Parse(File.ReadAllText(path));
            JsonElement[] cases = [.. result.RootElement.GetProperty("cases").EnumerateArray()];
            Assert.Equal(7, cases.Length);
            foreach (JsonElement measured in cases)
            {
                string name = measured.GetProperty("name").GetString()!;
                JsonElement engine = measured.GetProperty("contenders")[0];
                Assert.True(engine.GetProperty("mpps").GetDouble() > 0, name);

                // An upcall installs a flow, which takes memory. A round may cost an object or two, whatever its packets.
                long most = name == "upcalls" ? long.MaxValue : 64;
                Assert.True(engine.GetProperty("allocatedBytes").GetInt64() <= most, $"{name} allocated");
            }
        }
        finally
        {
            File.Delete(path);
        }
    }
}
