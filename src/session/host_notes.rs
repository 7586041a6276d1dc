//! What is noted of single hosts.
use super::{Moves, Observed};
use crate::{
    failure::{Failure, Reason},
    fleet::Fleet,
    health::Probe,
    host::Host,
    model::{Time, key},
    release::Listing,
};

impl Observed {
    /// What was on a host when this run last looked.
    pub fn listing(&self, host: &Host) -> Option<Listing> {
        self.host(host).listing
    }

    /// A lane of this host ended with a failure; an interrupted one did what it did until then.
    pub fn failed(&self, host: &Host, failure: &Failure) {
        self.note(host, |told| {
            if failure.reason() == Reason::Interrupted {
                told.note.get_or_insert_with(|| "interrupted".to_owned());
                return;
            }
            told.failure.get_or_insert_with(|| failure.clone());
        });
    }

    /// A host was left as it is, for it is as it should be.
    pub fn unchanged(&self, host: &Host) {
        self.note(host, |told| told.unchanged = true);
    }

    /// A host was read from, as a person asked.
    pub fn answered(&self, host: &Host) {
        self.note(host, |told| told.answered = true);
    }

    /// A host is out by somebody else.
    pub fn left_alone(&self, host: &Host) {
        self.note(host, |told| told.left_alone = true);
    }

    /// A note for the host's row of the closing table.
    pub fn remark(&self, host: &Host, note: &str) {
        self.note(host, |told| match &mut told.note {
            Some(noted) if noted.contains(note) => {}
            Some(noted) => *noted += &format!("; {note}"),
            none => *none = Some(note.to_owned()),
        });
    }

    /// A host goes out now: that it was out before does not count any more.
    pub fn goes_out(&self, host: &Host) {
        self.note(host, |told| (told.out_since, told.exposed) = (None, None));
    }

    /// Whoever took requests while it was out has failed: nobody knows how they were answered.
    pub fn exposed(&self) {
        for told in self.seen.lock().unwrap().told.values_mut() {
            told.failure = told.failure.take().or(told.exposed.take());
        }
    }

    /// What the drain or ready in hand of a host is about; all of it where no places are named.
    pub fn moves(&self, host: &Host, places: Option<Vec<String>>) {
        self.note(host, |told| told.moves = places.map_or(Moves::All, Moves::Only));
    }

    /// The drain in hand does not concern a host: it is out by somebody else.
    pub fn stays_theirs(&self, host: &Host) {
        self.note(host, |told| told.moves = Moves::Nothing);
    }

    /// A probe was good, since the host was last changed.
    pub fn proven(&self, probe: &Probe) {
        self.note(&probe.host, |told| (told.proven, told.probe) = (true, Some(probe.clone())));
    }

    /// The hosts of a fleet that this run put back and that it did not take out since, with when; not those that were
    /// seen to be down already.
    pub fn back(&self, fleet: &Fleet) -> Vec<(Host, Time)> {
        let seen = self.seen.lock().unwrap();
        let back = |host: &Host| {
            let told = seen.told.get(&key(host)).filter(|told| told.failure.is_none())?;
            Some((host.clone(), told.back?))
        };
        fleet.hosts.iter().filter_map(back).collect()
    }

    /// A host that was put back was seen to be down after it.
    pub fn died(&self, host: &Host, failure: &Failure) {
        self.note(host, |told| told.died = true);
        self.failed(host, failure);
    }

    /// A host that was put back was seen to serve so long after it.
    pub fn looked(&self, host: &Host, after: Time) {
        self.note(host, |told| told.looked = Some(after));
    }

    /// Notes the release that a host has now.
    pub fn saw_releases(&self, host: &Host, listing: &Listing) {
        self.note(host, |told| {
            told.old.get_or_insert_with(|| listing.current.clone());
            told.new = Some(listing.current.clone());
            told.listing = Some(listing.clone());
        });
    }
}
