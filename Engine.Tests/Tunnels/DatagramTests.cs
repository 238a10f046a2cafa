using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Platform;

namespace Engine.Tests.Tunnels;

/// <summary>Whether two datagrams had the same outer header is asked of all their fields at once.</summary>
public sealed class DatagramTests
{
    [Fact]
    public void A_header_is_the_same_when_all_fields_are_but_place_and_lengths()
    {
        Assert.Equal(Datagram.ByteSize, Unsafe.SizeOf<Datagram>());
        Datagram plain = default;
        Span<byte> bytes = stackalloc byte[Datagram.ByteSize];
        int compared = 0;
        foreach (FieldInfo field in typeof(Datagram).GetFields(BindingFlags.Instance | BindingFlags.Public))
        {
            int offset = (int)Marshal.OffsetOf<Datagram>(field.Name);
            bytes.Clear();
            bytes[offset] = 1;
            Datagram other = MemoryMarshal.Read<Datagram>(bytes);
            bool isCompared = field.Name is not (nameof(Datagram.Address) or nameof(Datagram.Length) or nameof(Datagram.SegmentSize));
            Assert.Equal(!isCompared, other.HasHeaderOf(in plain));
            compared += isCompared ? 1 : 0;
        }

        Assert.Equal(9, compared);
        bytes.Clear();
        bytes[^1] = 1;
        Assert.False(MemoryMarshal.Read<Datagram>(bytes).HasHeaderOf(in plain));
    }
}
