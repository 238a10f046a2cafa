using System.Text.Json;
using System.Text.Json.Serialization;

namespace Engine.Tests.Golden;

/// <summary>Bytes as lower-case hexadecimal.</summary>
internal sealed class HexConverter : JsonConverter<byte[]>
{
    public override byte[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Convert.FromHexString(reader.GetString()!);

    public override void Write(Utf8JsonWriter writer, byte[] value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Convert.ToHexStringLower(value));
}

/// <summary><c>[offset, length, what]</c>.</summary>
internal sealed class VolatileRangeConverter : JsonConverter<VolatileRange>
{
    public override VolatileRange Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using JsonDocument array = JsonDocument.ParseValue(ref reader);
        JsonElement root = array.RootElement;
        return new VolatileRange(root[0].GetInt32(), root[1].GetInt32(), root[2].GetString()!);
    }

    public override void Write(Utf8JsonWriter writer, VolatileRange value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        writer.WriteNumberValue(value.Offset);
        writer.WriteNumberValue(value.Length);
        writer.WriteStringValue(value.What);
        writer.WriteEndArray();
    }
}

/// <summary>A number, or the name of a device.</summary>
internal sealed class PortConverter : JsonConverter<GoldenPort>
{
    public override GoldenPort Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String ? new GoldenPort(0, reader.GetString()) : new GoldenPort(reader.GetUInt32(), null);

    public override void Write(Utf8JsonWriter writer, GoldenPort value, JsonSerializerOptions options)
    {
        if (value.Device is null)
        {
            writer.WriteNumberValue(value.Number);
        }
        else
        {
            writer.WriteStringValue(value.Device);
        }
    }
}
