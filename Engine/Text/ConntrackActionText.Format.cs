using System.Buffers.Binary;
using System.Text;

namespace Engine.Text;

// Printing.
internal static partial class ConntrackActionText
{
    /// <summary>Appends the action.</summary>
    public static void Append(StringBuilder text, ReadOnlySpan<byte> payload)
    {
        int start = text.Length;
        text.Append("ct(");
        int inner = text.Length;
        ReadOnlySpan<byte> value;
        if (TunnelText.TryFind(payload, Commit, out _))
        {
            text.Append("commit,");
        }

        if (TunnelText.TryFind(payload, ForceCommit, out _))
        {
            text.Append("force_commit,");
        }

        if (TryFind(payload, Zone, 2, out value) && BinaryPrimitives.ReadUInt16LittleEndian(value) != 0)
        {
            text.Append("zone=").Append(BinaryPrimitives.ReadUInt16LittleEndian(value)).Append(',');
        }

        if (TryFind(payload, Mark, 8, out value))
        {
            text.Append("mark=").AppendNumber(BinaryPrimitives.ReadUInt32LittleEndian(value)).Append('/')
                .AppendNumber(BinaryPrimitives.ReadUInt32LittleEndian(value[4..])).Append(',');
        }

        if (TryFind(payload, Labels, 32, out value))
        {
            KeyValueText.AppendLabels(text.Append("label="), value[..16]);
            if (!KeyValueText.IsAll(value[16..], 0xff))
            {
                KeyValueText.AppendLabels(text.Append('/'), value[16..]);
            }

            text.Append(',');
        }

        if (TunnelText.TryFind(payload, Helper, out value))
        {
            AppendName(text.Append("helper="), value).Append(',');
        }

        if (TunnelText.TryFind(payload, Timeout, out value))
        {
            AppendName(text.Append("timeout="), value).Append(',');
        }

        if (TunnelText.TryFind(payload, Nat, out value))
        {
            AppendNat(text, value);
            text.Append(',');
        }

        if (text.Length == inner)
        {
            text.Length = start + 2;
        }
        else
        {
            text.Length--;
            text.Append(')');
        }
    }

    private static StringBuilder AppendName(StringBuilder text, ReadOnlySpan<byte> name)
    {
        foreach (byte c in name)
        {
            if (c == 0)
            {
                break;
            }

            text.Append((char)c);
        }

        return text;
    }

    private static void AppendNat(StringBuilder text, ReadOnlySpan<byte> payload)
    {
        text.Append("nat");
        bool source = TunnelText.TryFind(payload, NatSource, out _);
        if (!source && !TunnelText.TryFind(payload, NatDestination, out _))
        {
            return;
        }

        text.Append(source ? "(src" : "(dst");
        if (TunnelText.TryFind(payload, NatMinimumAddress, out ReadOnlySpan<byte> minimum) && minimum.Length is 4 or 16)
        {
            int minimumPort = Port(payload, NatMinimumPort);
            int maximumPort = Port(payload, NatMaximumPort);
            AppendAddress(text.Append('='), minimum, minimumPort != 0);
            if (TryFind(payload, NatMaximumAddress, minimum.Length, out ReadOnlySpan<byte> maximum)
                && !maximum.SequenceEqual(minimum) && !KeyValueText.IsAll(maximum, 0))
            {
                AppendAddress(text.Append('-'), maximum, minimumPort != 0);
            }

            if (minimumPort != 0)
            {
                text.Append(':').Append(minimumPort);
                if (maximumPort != 0 && maximumPort != minimumPort)
                {
                    text.Append('-').Append(maximumPort);
                }
            }
        }

        text.Append(TunnelText.TryFind(payload, NatPersistent, out _) ? ",persistent" : "");
        text.Append(TunnelText.TryFind(payload, NatHash, out _) ? ",hash" : "");
        text.Append(TunnelText.TryFind(payload, NatRandom, out _) ? ",random" : "");
        text.Append(')');
    }

    private static int Port(ReadOnlySpan<byte> payload, int type) =>
        TryFind(payload, type, 2, out ReadOnlySpan<byte> value) ? BinaryPrimitives.ReadUInt16LittleEndian(value) : 0;

    private static void AppendAddress(StringBuilder text, ReadOnlySpan<byte> address, bool beforePort)
    {
        if (address.Length == 4)
        {
            AddressText.AppendIpv4(text, address);
            return;
        }

        text.Append(beforePort ? "[" : "");
        AddressText.AppendIpv6(text, address);
        text.Append(beforePort ? "]" : "");
    }

    private static bool TryFind(ReadOnlySpan<byte> attributes, int type, int size, out ReadOnlySpan<byte> value) =>
        TunnelText.TryFind(attributes, type, out value) && value.Length == size;
}
