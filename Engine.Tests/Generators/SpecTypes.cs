using System.Reflection;

namespace Engine.Tests.Generators;

/// <summary>The types that make up a generator's spec.</summary>
internal static class SpecTypes
{
    /// <summary>Asserts that a spec, and all that its fields lead to, holds nothing of the compiler: such a thing would never compare equal, and keep a compilation alive.</summary>
    /// <param name="spec">Where to start.</param>
    /// <param name="deep">A type that the walk has to come by, or it would prove nothing.</param>
    public static void AssertFreeOfTheCompiler(Type spec, Type deep)
    {
        Queue<Type> types = new([spec]);
        HashSet<Type> seen = [];
        while (types.TryDequeue(out Type? type))
        {
            if (seen.Add(type))
            {
                Assert.DoesNotContain("CodeAnalysis", type.FullName!, StringComparison.Ordinal);
                IEnumerable<Type> fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Select(static field => field.FieldType);
                foreach (Type next in fields.Concat(type.GetGenericArguments()).Where(static next => next.Namespace != "System"))
                {
                    types.Enqueue(next);
                }
            }
        }

        Assert.Contains(deep, seen);
    }
}
