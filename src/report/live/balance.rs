//! The groups of a fleet in the balancer, in one line.
use super::line::cut;
use crate::{
    event::{EventKind, HostPlace, PoolState},
    host::Name,
    report::{Palette, filter::visible, words::count},
};
use unicode_width::UnicodeWidthStr;

/// How many columns of a group's name are enough to recognize it.
const NAME: usize = 16;

/// The last known state of the balancers of the current fleet.
#[derive(Default)]
pub(super) struct BalanceView {
    fleet: Option<Name>,
    /// The hosts, in the fleet's order.
    places: Vec<(Name, HostPlace)>,
}

impl BalanceView {
    /// Takes in an event.
    pub(super) fn take(&mut self, what: &EventKind) {
        match what {
            EventKind::TargetsChanged { fleet, .. } => self.fleet = Some(fleet.clone()),
            EventKind::BalanceSeen { fleet, hosts } => {
                for place in hosts {
                    match self.places.iter_mut().find(|(of, known)| of == fleet && known.host == place.host) {
                        Some((_, known)) => known.clone_from(place),
                        None => self.places.push((fleet.clone(), place.clone())),
                    }
                }
            }
            EventKind::Progressed { host: Some(host), done, total, unit: "requests", .. } => {
                self.open(host, total.saturating_sub(*done))
            }
            EventKind::EffectFinished { effect: "wait_drained", host: Some(host), failure: None, .. } => {
                self.open(host, 0)
            }
            _ => {}
        }
    }

    fn open(&mut self, host: &Name, open: u64) {
        let fleet = self.fleet.clone();
        let of = |(of, place): &&mut (Name, HostPlace)| Some(of) == fleet.as_ref() && place.host == *host;
        if let Some((_, place)) = self.places.iter_mut().find(of) {
            place.open = open;
        }
    }

    /// Returns `group1  3 live   group2  3 out (drained)`; if space is short, completely live groups are left out
    /// first.
    pub(super) fn line(&self, width: usize, palette: Palette) -> Option<String> {
        let groups = self.groups();
        for (gap, between, open) in [("  ", "   ", "request"), (" ", "  ", "")] {
            let (plain, painted) = joined(&groups, gap, between, open, palette);
            if plain.width() <= width {
                return Some(painted).filter(|line| !line.is_empty());
            }
        }
        let mut groups = groups;
        groups.sort_by_key(GroupCount::is_live);
        for shown in (1..groups.len()).rev() {
            let (plain, painted) = joined(&groups[..shown], " ", "  ", "", palette);
            let more = format!("  … {}", count(groups.len() - shown, "more group"));
            if plain.width() + more.width() <= width {
                return Some(format!("{painted}{}", palette.faint(&more)));
            }
        }
        Some(cut(&joined(&groups, " ", "  ", "", Palette { color: false }).0, width))
    }

    fn groups(&self) -> Vec<GroupCount> {
        let mut groups: Vec<GroupCount> = Vec::new();
        for (fleet, place) in self.places.iter().filter(|(fleet, _)| Some(fleet) == self.fleet.as_ref()) {
            let name = place.group.as_ref().unwrap_or(fleet);
            let name = cut(&visible(name, false), NAME);
            let at = groups.iter().position(|group| group.name == name).unwrap_or(groups.len());
            if at == groups.len() {
                groups.push(GroupCount { name, ..GroupCount::default() });
            }
            groups[at].count(place);
        }
        groups
    }
}

/// How many hosts of a group are in each state.
#[derive(Default)]
struct GroupCount {
    name: String,
    live: usize,
    out: usize,
    half: usize,
    unknown: usize,
    /// Open requests on the hosts that aren't live.
    open: u64,
}

impl GroupCount {
    fn count(&mut self, place: &HostPlace) {
        match place.balancer {
            PoolState::Live => self.live += 1,
            PoolState::Out => self.out += 1,
            PoolState::Mixed => self.half += 1,
            PoolState::Unknown => self.unknown += 1,
            PoolState::None => {}
        }
        if matches!(place.balancer, PoolState::Out | PoolState::Mixed) {
            self.open += place.open;
        }
    }

    fn is_live(&self) -> bool {
        self.out + self.half + self.unknown == 0
    }

    /// Returns what follows the group's name.
    fn standing(&self, request: &str) -> String {
        let kinds = [(self.live, "live"), (self.out, "out"), (self.half, "half out"), (self.unknown, "unknown")];
        let kinds = kinds.iter().filter(|(number, _)| *number > 0);
        let mut text = kinds.map(|(number, word)| format!("{number} {word}")).collect::<Vec<_>>().join(", ");
        match (self.out + self.half, self.open, request) {
            (0, ..) => {}
            (_, 0, _) => text += " (drained)",
            (_, open, "") => text += &format!(" ({open} open)"),
            (_, open, request) => text += &format!(" ({} open)", count(open as usize, request)),
        }
        text
    }
}

/// Returns the line without colors, and with them.
fn joined(groups: &[GroupCount], gap: &str, between: &str, request: &str, palette: Palette) -> (String, String) {
    let (mut plain, mut painted) = (String::new(), String::new());
    for (i, group) in groups.iter().enumerate() {
        let (before, standing) = (if i == 0 { "" } else { between }, group.standing(request));
        plain += &format!("{before}{}{gap}{standing}", group.name);
        let standing = if group.is_live() { palette.good(&standing) } else { palette.warn(&standing) };
        painted += &format!("{before}{}{gap}{standing}", palette.strong(&group.name));
    }
    (plain, painted)
}
