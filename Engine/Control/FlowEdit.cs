namespace Engine.Control;

/// <summary>What putting a flow does when there is one of its key, and when there is none.</summary>
public enum FlowEdit
{
    /// <summary>Refuses one that is there.</summary>
    Create,

    /// <summary>Refuses one that is not there.</summary>
    Modify,

    /// <summary>Makes it or changes it.</summary>
    CreateOrModify,
}
