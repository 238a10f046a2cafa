using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Actions;

// Lists in lists and recirculation: at once while there are keys for it, later otherwise (clone_execute).
public static unsafe partial class ActionExecutor
{
    private static Errno RunNested<THost>(
        ActionList list,
        int firstStep,
        int endStep,
        in ActionStep step,
        ActionStepFlags keyFlag,
        Packet* packet,
        ref FlowKey key,
        ActionContext context,
        ref THost host)
        where THost : struct, IActionHost
    {
        Packet* own = step.IsLast ? packet : host.TryClone(packet);
        if (own == null)
        {
            return Errno.None;
        }

        if ((step.Flags & keyFlag) == 0)
        {
            return Run(list, firstStep, endStep, own, ref key, context, ref host);
        }

        if (!context.HasKey)
        {
            if (context.Defer(own, key, list, firstStep, endStep) < 0)
            {
                host.Drop(own, DropReason.DeferredLimit);
            }

            return Errno.None;
        }

        ref FlowKey copy = ref context.CopyKey(key);
        context.Level++;
        Errno error = Run(list, firstStep, endStep, own, ref copy, context, ref host);
        context.Level--;
        return error;
    }

    private static void Recirculate<THost>(in ActionStep step, Packet* packet, in FlowKey key, ActionContext context, ref THost host)
        where THost : struct, IActionHost
    {
        Packet* own = step.IsLast ? packet : host.TryClone(packet);
        if (own == null)
        {
            return;
        }

        if (context.HasKey)
        {
            ref FlowKey copy = ref context.CopyKey(key);
            copy.RecirculationId = step.Argument;
            host.Recirculate(own, ref copy);
            return;
        }

        int place = context.Defer(own, key, null, 0, 0);
        if (place < 0)
        {
            host.Drop(own, DropReason.DeferredLimit);
        }
        else
        {
            context.DeferredAt(place).Key.RecirculationId = step.Argument;
        }
    }

    /// <summary>Runs what was put off, including what is put off meanwhile (process_deferred_actions).</summary>
    private static void RunDeferred<THost>(ActionContext context, ref THost host)
        where THost : struct, IActionHost
    {
        do
        {
            ref ActionContext.Deferred deferred = ref context.NextDeferred();
            if (deferred.List is { } list)
            {
                Run(list, deferred.FirstStep, deferred.EndStep, deferred.Packet, ref deferred.Key, context, ref host);
            }
            else
            {
                host.Recirculate(deferred.Packet, ref deferred.Key);
            }
        }
        while (!context.HasNoDeferred);

        context.ResetDeferred();
    }
}
