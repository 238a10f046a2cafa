using System.Numerics;
using Engine.Generators.Infrastructure;
using static Engine.Generators.Pipelines.Literal;

namespace Engine.Generators.Pipelines;

/// <summary>Writes how the flow of a frame of one shape is found.</summary>
internal sealed class MatchEmitter
{
    // Up to so many flows, comparing one after the other reads and runs best.
    private const int MostInChain = 4;
    private const int LanesOfVector = 8;

    // One method's worth of vectors; with a lane that always matches behind them, places fit 6 bits.
    private const int LanesOfMethod = 32;

    private readonly SourceWriter _writer;
    private readonly PipelineSpec _spec;
    private readonly FrameShape _shape;
    private readonly int[] _words;

    private MatchEmitter(SourceWriter writer, PipelineSpec spec, FrameShape shape, IReadOnlyList<Candidate> candidates)
    {
        _writer = writer;
        _spec = spec;
        _shape = shape;
        _words = WordsOf(candidates);
    }

    /// <summary>The flows that frames of a shape can match. What is behind one that matches all, or the same, is never asked for.</summary>
    public static List<Candidate> Candidates(PipelineSpec spec, FrameShape shape)
    {
        List<Candidate> candidates = [];
        HashSet<EquatableArray<MaskedWord>> seen = [];
        for (int i = 0; i < spec.Flows.Count; i++)
        {
            if (shape.Specialize(spec.Flows[i]) is { } words && seen.Add(words.ToEquatableArray()))
            {
                candidates.Add(new Candidate(i, words));
                if (words.Length == 0)
                {
                    break;
                }
            }
        }

        return candidates;
    }

    /// <summary>Writes <c>Match</c> and the name of the shape, with what it calls.</summary>
    public static void Emit(SourceWriter writer, PipelineSpec spec, FrameShape shape, IReadOnlyList<Candidate> candidates, MatchPlan plan) =>
        new MatchEmitter(writer, spec, shape, candidates).Emit(candidates, plan);

    private void Emit(IReadOnlyList<Candidate> candidates, MatchPlan plan)
    {
        _writer.Write($"/// <summary>The flow of a frame that is {_shape.Description}; -1 for none.</summary>");
        _writer.Write("[MethodImpl(MethodImplOptions.AggressiveInlining)]");
        _writer.Open($"private static int Match{_shape.Name}(uint inPort, PlainFrame frame)");
        if (plan.Hashed.Count == 0 && candidates.Count > MostInChain && TryEmitTelling(candidates))
        {
            return;
        }

        foreach (int word in _words.Where(static word => word != FrameWord.InPortIndex))
        {
            uint mask = candidates.Aggregate(0u, (bits, candidate) => bits | candidate.WordAt(word).Mask);
            _writer.Write($"uint {Local(word)} = {_shape.Word(word).Expression(mask)};");
        }

        if (_words.Any(static word => word != FrameWord.InPortIndex))
        {
            _writer.Blank();
        }

        if (Common(candidates) is { Length: > 0 } common && candidates.Count > 1)
        {
            _writer.Write("// What all of them ask for.");
            _writer.Open($"if ({string.Join(" || ", common.Select(word => Condition(word, "!=")))})").Write("return -1;").Close().Blank();
            candidates = [.. candidates.Select(candidate => Without(candidate, common))];
            plan = new MatchPlan(plan.Hashed.ConvertAll(group => group.ConvertAll(candidate => Without(candidate, common))), plan.Lanes.ConvertAll(candidate => Without(candidate, common)));
        }

        if (plan.Hashed.Count == 0 && candidates.Count <= MostInChain)
        {
            EmitChain(candidates);
            _writer.Close().Blank();
            return;
        }

        List<string> calls = [];
        for (int i = 0; i < plan.Hashed.Count; i++)
        {
            calls.Add($"Match{_shape.Name}Hash{Number(i)}({Arguments(WordsOf([plan.Hashed[i][0]]))})");
        }

        List<Candidate[]> chunks = [.. plan.Lanes.Chunk(LanesOfMethod)];
        for (int i = 0; i < chunks.Count; i++)
        {
            calls.Add($"Match{_shape.Name}Lanes{Number(i)}({Arguments(WordsOf(chunks[i]))})");
        }

        EmitCalls(calls);
        _writer.Close().Blank();
        for (int i = 0; i < plan.Hashed.Count; i++)
        {
            EmitHash(plan.Hashed[i], i);
        }

        for (int i = 0; i < chunks.Count; i++)
        {
            EmitLanes(chunks[i], i);
        }
    }

    // Where a vector holds all that is asked for besides the port, a few bits may leave one flow to compare it with.
    private bool TryEmitTelling(IReadOnlyList<Candidate> candidates)
    {
        MaskedWord[] outside = [.. Common(candidates).Where(word => !_shape.IsInHeader(word.Index))];
        List<Candidate> inside = [.. candidates.Select(candidate => Without(candidate, outside))];
        if (!inside.TrueForAll(candidate => Array.TrueForAll(candidate.Words, word => _shape.IsInHeader(word.Index))) || TellingBits.Find(inside) is not { } telling)
        {
            return false;
        }

        int[] words = [.. telling.Words.Select(static word => word.Word)];
        foreach ((int word, uint mask, _) in telling.Words)
        {
            _writer.Write($"uint {Local(word)} = {_shape.Word(word).Expression(mask)};");
        }

        foreach (MaskedWord word in outside.Where(static word => word.Index != FrameWord.InPortIndex))
        {
            _writer.Write($"uint {Local(word.Index)} = {_shape.Word(word.Index).Expression(word.Mask)};");
        }

        string call = $"Match{_shape.Name}Telling(frame, {Arguments(words)})";
        _writer.Write(outside.Length == 0 ? $"return {call};" : $"return {string.Join(" && ", outside.Select(word => Condition(word)))} ? {call} : -1;");
        _writer.Close().Blank();
        EmitTelling(inside, telling, words);
        return true;
    }

    private void EmitTelling(List<Candidate> candidates, TellingBits telling, int[] words)
    {
        _writer.Write("/// <summary>Flows of different masks: a few telling bits leave one of them, with which the header is compared as a whole.</summary>");
        _writer.Open($"private static int Match{_shape.Name}Telling(PlainFrame frame, {Parameters(words)})");
        string sum = string.Join(" + ", telling.Words.Select(word => $"(({Local(word.Word)} & {Hex(word.Mask)}) * {Hex(word.Multiplier)})"));
        _writer.Write($"int telling = (int)(({sum}) >> {Number(telling.Shift)});");
        EmitData("byte", "Candidates", telling.CandidateAt.Select(Number));
        _writer.Write($"int candidate = candidates[telling & {Number(telling.CandidateAt.Length - 1)}];");
        _writer.Write("// For each the bits of the header that matter, and what they must be.");
        _writer.Write("ReadOnlySpan<uint> headers =").Write("[");
        foreach (Candidate candidate in candidates)
        {
            (uint[] mask, uint[] value) = FrameShape.Header(candidate.Words);
            _writer.Write($"    // {Number(candidate.Number)}: {_spec.Flows[candidate.Number].Text}");
            _writer.Write($"    {string.Join(", ", mask.Concat(value).Select(Hex))},");
        }

        _writer.Write("];");
        if (candidates.Select(static (candidate, i) => candidate.Number == i).All(static same => same))
        {
            _writer.Write("return frame.HasIpv4Header(headers, candidate) ? candidate : -1;");
            _writer.Close().Blank();
            return;
        }

        int places = (int)BitOperations.RoundUpToPowerOf2((uint)candidates.Count);
        EmitData("short", "Flows", Enumerable.Range(0, places).Select(i => i < candidates.Count ? Number(candidates[i].Number) : "-1"));
        _writer.Write($"return frame.HasIpv4Header(headers, candidate) ? flows[candidate & {Number(places - 1)}] : -1;");
        _writer.Close().Blank();
    }

    private void EmitChain(IReadOnlyList<Candidate> candidates)
    {
        foreach (Candidate candidate in candidates)
        {
            _writer.Write($"// {Number(candidate.Number)}: {_spec.Flows[candidate.Number].Text}");
            if (candidate.Words.Length == 0)
            {
                _writer.Write($"return {Number(candidate.Number)};");
                return;
            }

            _writer.Open($"if ({string.Join(" && ", candidate.Words.Select(word => Condition(word)))})");
            _writer.Write($"return {Number(candidate.Number)};").Close().Blank();
        }

        _writer.Write("return -1;");
    }

    private void EmitCalls(List<string> calls)
    {
        if (calls.Count == 1)
        {
            _writer.Write($"return {calls[0]};");
            return;
        }

        if (_spec.HasOverlaps)
        {
            _writer.Write("// Flows overlap: the first of all that match. No flow is the highest number.");
            _writer.Write($"uint first = (uint){calls[0]};");
            foreach (string call in calls.Skip(1))
            {
                _writer.Write($"first = Math.Min(first, (uint){call});");
            }

            _writer.Write("return (int)first;");
            return;
        }

        _writer.Write($"int flow = {calls[0]};");
        foreach (string call in calls.Skip(1))
        {
            _writer.Open("if (flow < 0)").Write($"flow = {call};").Close().Blank();
        }

        _writer.Write("return flow;");
    }

    private void EmitHash(List<Candidate> group, int number)
    {
        MaskedWord[] words = group[0].Words;
        PerfectHash hash = PerfectHash.Find([.. group.Select(Key)]);
        int places = hash.KeyAt.Length - 1, buckets = hash.Displacements.Length - 1;
        _writer.Write($"/// <summary>{Number(group.Count)} flows of one mask, from {Number(group[0].Number)} on: a perfect hash of {string.Join(", ", words.Select(word => Local(word.Index)))}.</summary>");
        _writer.Open($"private static int Match{_shape.Name}Hash{Number(number)}({string.Join(", ", words.Select(word => $"uint {Local(word.Index)}"))})");
        foreach (MaskedWord word in words.Where(static word => word.Mask != uint.MaxValue))
        {
            _writer.Write($"{Local(word.Index)} &= {Hex(word.Mask)};");
        }

        _writer.Write($"ulong hash = {hash.Seed}UL;");
        for (int i = 0; i < words.Length; i += 2)
        {
            string low = Local(words[i].Index);
            string word = i + 1 < words.Length ? $"{low} | ((ulong){Local(words[i + 1].Index)} << 32)" : low;
            _writer.Write($"hash = PipelineHash.Add(hash, {word});");
        }

        _writer.Blank();
        EmitData("ushort", "Displacements", hash.Displacements.Select(Number));
        _writer.Write($"int place = PipelineHash.Place(hash, displacements[(int)hash & {Number(buckets)}], {Number(places)});");
        // The words of a key stand side by side, so that they come with one cache line.
        int stride = (int)BitOperations.RoundUpToPowerOf2((uint)words.Length), last = (hash.KeyAt.Length * stride) - 1;
        EmitData("uint", "Keys", hash.KeyAt.SelectMany(key => Enumerable.Range(0, stride).Select(word => key < 0 || word >= words.Length ? "0" : Hex(group[key].Words[word].Value))));
        string[] conditions =
        [
            .. words.Select((word, i) => $"keys[((place * {Number(stride)}) + {Number(i)}) & {Number(last)}] == {Local(word.Index)}"),
        ];
        EmitData("short", "Flows", hash.KeyAt.Select(key => key < 0 ? "-1" : Number(group[key].Number)));
        _writer.Write($"return {string.Join(" && ", conditions)} ? flows[place & {Number(places)}] : -1;");
        _writer.Close().Blank();
    }

    // A span over constants stands in the data of the assembly, and its length is known to the compiler.
    private void EmitData(string type, string name, IEnumerable<string> values) =>
        _writer.Write($"ReadOnlySpan<{type}> {char.ToLowerInvariant(name[0])}{name.Substring(1)} = [{string.Join(", ", values)}];");

    private void EmitLanes(Candidate[] candidates, int number)
    {
        _writer.Write("/// <summary>Flows of different masks, one in each lane; the first lane that matches is taken.</summary>");
        foreach (Candidate candidate in candidates)
        {
            _writer.Write($"// {Number(candidate.Number)}: {_spec.Flows[candidate.Number].Text}");
        }

        _writer.Open($"private static int Match{_shape.Name}Lanes{Number(number)}({Parameters(WordsOf(candidates))})");
        Candidate[][] vectors = [.. candidates.Chunk(LanesOfVector)];
        List<string> bits = [];
        for (int i = 0; i < vectors.Length; i++)
        {
            EmitVector(vectors[i], i);
            string found = $"(ulong)Vector256.ExtractMostSignificantBits(lanes{Number(i)})";
            bits.Add(i == 0 ? found : $"({found} << {Number(i * LanesOfVector)})");
        }

        _writer.Write($"// The lane behind the last always matches, and stands for no flow.");
        _writer.Write($"ulong found = {string.Join(" | ", bits)} | {Hex(1UL << candidates.Length)};");
        EmitData("short", "Flows", Enumerable.Range(0, 64).Select(lane => lane < candidates.Length ? Number(candidates[lane].Number) : "-1"));
        _writer.Write("return flows[BitOperations.TrailingZeroCount(found) & 63];");
        _writer.Close().Blank();
    }

    private void EmitVector(Candidate[] candidates, int number)
    {
        List<string> terms = [];
        foreach (int word in _words)
        {
            MaskedWord[] lanes = [.. Enumerable.Range(0, LanesOfVector).Select(lane => lane < candidates.Length ? candidates[lane].WordAt(word) : default)];
            if (lanes.All(static lane => lane.Mask == 0))
            {
                continue;
            }

            string value = $"Vector256.Create({Local(word)})";
            if (lanes.Take(candidates.Length).Any(static lane => lane.Mask != uint.MaxValue))
            {
                value = $"({value} & {Vector(lanes.Select(static lane => lane.Mask))})";
            }

            terms.Add($"Vector256.Equals({value}, {Vector(lanes.Select(static lane => lane.Value))})");
        }

        _writer.Write($"Vector256<uint> lanes{Number(number)} =");
        _writer.Write("    " + (terms.Count == 0 ? "Vector256<uint>.AllBitsSet" : string.Join("\n    & ", terms)) + ";");
    }

    private string Local(int word) => _shape.Word(word).Name;

    private static int[] WordsOf(IEnumerable<Candidate> candidates) =>
        [.. candidates.SelectMany(static candidate => candidate.Words).Select(static word => word.Index).Distinct().Order()];

    private string Arguments(int[] words) => string.Join(", ", words.Select(Local));

    private string Parameters(int[] words) => string.Join(", ", words.Select(word => $"uint {Local(word)}"));

    // The bits that all flows ask for alike.
    private static MaskedWord[] Common(IReadOnlyList<Candidate> candidates)
    {
        List<MaskedWord> common = [];
        foreach (MaskedWord word in candidates[0].Words)
        {
            uint mask = word.Mask;
            foreach (Candidate candidate in candidates)
            {
                MaskedWord other = candidate.WordAt(word.Index);
                mask &= other.Mask & ~(other.Value ^ word.Value);
            }

            if (mask != 0)
            {
                common.Add(new MaskedWord(word.Index, mask, word.Value & mask));
            }
        }

        return [.. common];
    }

    private static Candidate Without(Candidate candidate, MaskedWord[] common)
    {
        List<MaskedWord> rest = [];
        foreach (MaskedWord word in candidate.Words)
        {
            uint mask = word.Mask & ~common.FirstOrDefault(known => known.Index == word.Index).Mask;
            if (mask != 0)
            {
                rest.Add(new MaskedWord(word.Index, mask, word.Value & mask));
            }
        }

        return candidate with { Words = [.. rest] };
    }

    private static ulong[] Key(Candidate candidate)
    {
        ulong[] key = new ulong[(candidate.Words.Length + 1) / 2];
        for (int i = 0; i < candidate.Words.Length; i++)
        {
            key[i / 2] |= (ulong)candidate.Words[i].Value << (32 * (i % 2));
        }

        return key;
    }

    private string Condition(MaskedWord word, string comparison = "==") => word.Mask == uint.MaxValue
        ? $"{Local(word.Index)} {comparison} {Hex(word.Value)}"
        : $"({Local(word.Index)} & {Hex(word.Mask)}) {comparison} {Hex(word.Value)}";

    private static string Vector(IEnumerable<uint> lanes) => $"Vector256.Create({string.Join(", ", lanes.Select(Hex))})";
}
