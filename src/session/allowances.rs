//! What the operator allows a run to do, and how careful it is.
use crate::ui::Pausing;

/// What a command line allows; the default allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowances {
    pub yes: ConsentFlag,
    /// Whether the run waits for a lock that another operator holds.
    pub wait: bool,
    /// Whether a host that serves the commit already is deployed again.
    pub force: bool,
    /// Whether a host counts as well if it answers but names no release.
    pub unproven: bool,
    /// Whether hosts hash every file that a release takes from an earlier one.
    pub verify: bool,
    /// Whether a resumed run continues even if something changed since it began.
    pub force_changed: bool,
    /// How long the run waits between groups, if at all.
    pub pause: Option<Pausing>,
    /// Pools that may be left with fewer live servers than their minimum.
    pub allow_outage: Vec<String>,
    /// Pools with balancers that aren't asked.
    pub without_balancer: Vec<String>,
    /// Why the run deploys without asking the fleet's gate.
    pub without_gate: Option<String>,
}

/// Whether the question about a guarded fleet is answered in advance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConsentFlag {
    /// There is no answer in advance.
    #[default]
    Unsaid,
    /// Answered by `--yes`, which names no fleet.
    Unnamed,
    /// Answered by `--yes=NAME`, only for the fleet with that name.
    Fleet(String),
}

impl ConsentFlag {
    /// Returns the answer as `Consent` needs it: none, a yes without a name, or a yes for a fleet.
    pub fn given(&self) -> Option<Option<String>> {
        match self {
            ConsentFlag::Unsaid => None,
            ConsentFlag::Unnamed => Some(None),
            ConsentFlag::Fleet(name) => Some(Some(name.clone())),
        }
    }
}
