namespace Engine.Flows;

public partial struct FlowKey
{
    /// <summary>Hash of the key under a mask; the same for all keys that the mask makes equal. Secret per process.</summary>
    public static ulong MaskedHash(in FlowKey key, in FlowKey mask) => throw new NotSupportedException();

    /// <summary><see cref="MaskedHash"/> for a mask that reaches the core only.</summary>
    public static ulong MaskedHashCore(in FlowKey key, in FlowKey mask) => throw new NotSupportedException();

    /// <summary>Hash of the core, no mask.</summary>
    public static ulong HashCore(in FlowKey key) => throw new NotSupportedException();

    /// <summary>Whether the key under the mask is the masked key.</summary>
    public static bool MaskedEquals(in FlowKey key, in FlowKey mask, in FlowKey maskedKey) => throw new NotSupportedException();

    /// <summary><see cref="MaskedEquals"/> for a mask that reaches the core only.</summary>
    public static bool MaskedEqualsCore(in FlowKey key, in FlowKey mask, in FlowKey maskedKey) => throw new NotSupportedException();

    /// <summary>The key under the mask.</summary>
    public static void MaskedCopy(in FlowKey key, in FlowKey mask, out FlowKey result) => throw new NotSupportedException();
}
