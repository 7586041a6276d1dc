//! What the operator allows a run to do, and how careful it is.
use crate::ui::Pausing;

/// What a command line allows; the default allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowances {
    pub yes: Yes,
    /// Whether the run waits for a lock that another operator holds.
    pub wait: bool,
    /// Whether a host that serves the commit already is deployed to again.
    pub force: bool,
    /// Whether a host is right that answers well and names no release.
    pub unproven: bool,
    /// Whether a resumed run continues although something was changed since it began.
    pub force_changed: bool,
    /// How long the run waits between groups, if it does.
    pub pause: Option<Pausing>,
    /// Pools that may be left with fewer live servers than their minimum.
    pub allow_outage: Vec<String>,
    /// Pools whose balancers are not asked.
    pub without_balancer: Vec<String>,
}

/// Whether a guarded fleet's question is answered beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Yes {
    /// It is not.
    #[default]
    Unsaid,
    /// With `--yes`, which names no fleet.
    Unnamed,
    /// With `--yes=NAME`, for the fleet of that name alone.
    Fleet(String),
}

impl Yes {
    /// Returns the answer as a consent has it: none, one without a name, or one for a fleet.
    pub fn given(&self) -> Option<Option<String>> {
        match self {
            Yes::Unsaid => None,
            Yes::Unnamed => Some(None),
            Yes::Fleet(name) => Some(Some(name.clone())),
        }
    }
}
