using System.Globalization;
using Engine.Generators.Diagnostics;
using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Engine.Generators.Actions;

/// <summary>Reads a class marked <c>[ActionSet]</c> into an <see cref="ActionSpec"/>.</summary>
internal sealed class ActionParser
{
    /// <summary>The attribute that marks the class.</summary>
    public const string MarkerAttribute = "Engine.Annotations.ActionSetAttribute";

    private const string ActionAttribute = "Engine.Annotations.ActionAttribute";
    private const string StepAttribute = "Engine.Annotations.ActionStepAttribute";

    // What a method can take, by the name of its parameter, and how the dispatch passes it.
    private static readonly Dictionary<string, string> ActionArguments = new()
    {
        ["action"] = "in action",
        ["shape"] = "shape",
        ["isLast"] = "isLast",
        ["depth"] = "depth",
    };

    private static readonly Dictionary<string, string> StepArguments = new()
    {
        ["packet"] = "packet",
        ["key"] = "ref key",
        ["step"] = "in step",
        ["arguments"] = "arguments",
        ["argument"] = "step.Argument",
        ["small"] = "step.Small",
    };

    private readonly INamedTypeSymbol _type;
    private readonly List<DiagnosticInfo> _diagnostics = [];
    private readonly List<ActionMethod> _actions = [];
    private readonly List<StepMethod> _steps = [];
    private INamedTypeSymbol? _actionEnum;

    private ActionParser(INamedTypeSymbol type) => _type = type;

    /// <summary>Reads the class. The spec is null when anything was reported.</summary>
    public static ParseResult<ActionSpec> Parse(GeneratorAttributeSyntaxContext context, CancellationToken cancellation)
    {
        ActionParser parser = new((INamedTypeSymbol)context.TargetSymbol);
        ActionSpec? spec = parser.Parse((TypeDeclarationSyntax)context.TargetNode, cancellation);
        return new(parser._diagnostics.Count == 0 ? spec : null, parser._diagnostics.ToEquatableArray());
    }

    private ActionSpec? Parse(TypeDeclarationSyntax declaration, CancellationToken cancellation)
    {
        if (!declaration.Modifiers.Any(SyntaxKind.PartialKeyword) || _type.ContainingType is not null || _type.IsGenericType)
        {
            Report(DiagnosticDescriptors.ActionSetNotPartial, declaration.Identifier.GetLocation(), _type.Name);
            return null;
        }

        foreach (IMethodSymbol method in _type.GetMembers().OfType<IMethodSymbol>())
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (AttributeData attribute in method.GetAttributes())
            {
                switch (attribute.AttributeClass?.ToDisplayString())
                {
                    case ActionAttribute:
                        ParseAction(method, attribute);
                        break;
                    case StepAttribute:
                        ParseStep(method, attribute);
                        break;
                }
            }
        }

        ReportMissing(declaration);
        return new ActionSpec(
            _type.ContainingNamespace.ToDisplayString(),
            _type.Name,
            _type.IsStatic ? "static unsafe" : "unsafe",
            _actions.OrderBy(action => action.Number).ToEquatableArray(),
            _steps.OrderBy(step => step.Number).ToEquatableArray());
    }

    private void ParseAction(IMethodSymbol method, AttributeData attribute)
    {
        Location? location = LocationOf(attribute, method);
        if (!TryNumber(attribute, method, location, out string member, out int number) || !TryCall(method, "Refusal", ActionArguments, location, out string call))
        {
            return;
        }

        _actionEnum = attribute.ConstructorArguments[0].Type as INamedTypeSymbol;
        string name = attribute.ConstructorArguments[1].Value as string ?? string.Empty;
        if (_actions.FirstOrDefault(action => action.Number == number) is not null)
        {
            Report(DiagnosticDescriptors.ActionDeclaredTwice, location, member.Substring(member.LastIndexOf('.') + 1));
        }
        else if (name.Length == 0 || name.Any(letter => letter is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '_')))
        {
            Report(DiagnosticDescriptors.ActionWithoutName, location, method.Name, name);
        }
        else
        {
            _actions.Add(new ActionMethod(member, number, name, Named(attribute, "Length") as int? ?? -1, Named(attribute, "LeavesFlow") is true, call));
        }
    }

    private void ParseStep(IMethodSymbol method, AttributeData attribute)
    {
        Location? location = LocationOf(attribute, method);
        if (!TryNumber(attribute, method, location, out string member, out int number) || !TryCall(method, "Errno", StepArguments, location, out string call))
        {
            return;
        }

        if (_steps.Any(step => step.Number == number))
        {
            Report(DiagnosticDescriptors.ActionDeclaredTwice, location, member.Substring(member.LastIndexOf('.') + 1));
            return;
        }

        _steps.Add(new StepMethod(member, number, call));
    }

    private bool TryNumber(AttributeData attribute, IMethodSymbol method, Location? location, out string member, out int number)
    {
        TypedConstant value = attribute.ConstructorArguments.FirstOrDefault();
        number = value.Kind == TypedConstantKind.Enum ? Convert.ToInt32(value.Value, CultureInfo.InvariantCulture) : 0;
        int wanted = number;
        string? name = value.Kind != TypedConstantKind.Enum ? null : value.Type?.GetMembers().OfType<IFieldSymbol>()
            .FirstOrDefault(field => field.HasConstantValue && Convert.ToInt32(field.ConstantValue, CultureInfo.InvariantCulture) == wanted)?.Name;
        member = $"global::{value.Type?.ToDisplayString()}.{name}";
        if (name is null)
        {
            Report(DiagnosticDescriptors.ActionWithoutNumber, location, method.Name);
        }

        return name is not null;
    }

    private bool TryCall(IMethodSymbol method, string result, Dictionary<string, string> arguments, Location? location, out string call)
    {
        List<string> passed = [];
        bool isRight = method.ReturnType.Name == result;
        if (!isRight)
        {
            Report(DiagnosticDescriptors.ActionWrongResult, location, method.Name, method.ReturnType.ToDisplayString(), result);
        }

        foreach (IParameterSymbol parameter in method.Parameters)
        {
            if (!arguments.TryGetValue(parameter.Name, out string? argument))
            {
                isRight = false;
                Report(
                    DiagnosticDescriptors.ActionUnknownParameter, location, method.Name, parameter.Name, string.Join(", ", arguments.Keys));
                continue;
            }

            // A method that looks at the shape only takes it by value or 'in'.
            string modifier = parameter.Name != "shape" ? string.Empty : parameter.RefKind switch
            {
                RefKind.Ref => "ref ",
                RefKind.In => "in ",
                _ => string.Empty,
            };
            passed.Add(modifier + argument);
        }

        call = $"{method.Name}({string.Join(", ", passed)})";
        return isRight;
    }

    /// <summary>An action that nobody validates would be refused as unknown; say so when the code is built.</summary>
    private void ReportMissing(TypeDeclarationSyntax declaration)
    {
        if (_actionEnum is null || _diagnostics.Count != 0)
        {
            return;
        }

        foreach (IFieldSymbol field in _actionEnum.GetMembers().OfType<IFieldSymbol>().Where(field => field.HasConstantValue))
        {
            int number = Convert.ToInt32(field.ConstantValue, CultureInfo.InvariantCulture);
            if (number != 0 && _actions.All(action => action.Number != number))
            {
                Report(DiagnosticDescriptors.ActionMissing, declaration.Identifier.GetLocation(), field.Name, _type.Name);
            }
        }
    }

    private static object? Named(AttributeData attribute, string name) => attribute.NamedArguments.FirstOrDefault(argument => argument.Key == name).Value.Value;

    private static Location? LocationOf(AttributeData attribute, ISymbol owner) =>
        attribute.ApplicationSyntaxReference?.GetSyntax().GetLocation() ?? owner.Locations.FirstOrDefault();

    private void Report(DiagnosticDescriptor descriptor, Location? location, params string[] arguments) =>
        _diagnostics.Add(DiagnosticInfo.Create(descriptor, location, arguments));
}
