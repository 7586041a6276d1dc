//! Notes about single hosts.
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
    /// Returns what was on a host when this run last looked.
    pub fn listing(&self, host: &Host) -> Option<Listing> {
        self.host(host).listing
    }

    /// Notes that a lane of this host failed; what an interrupted lane did before still counts.
    pub fn failed(&self, host: &Host, failure: &Failure) {
        self.note(host, |told| {
            if failure.reason() == Reason::Interrupted {
                told.note.get_or_insert_with(|| "interrupted".to_owned());
                return;
            }
            told.failure.get_or_insert_with(|| failure.clone());
        });
    }

    /// Notes that a host was left unchanged because it is as it should be.
    pub fn unchanged(&self, host: &Host) {
        self.note(host, |told| told.unchanged = true);
    }

    /// Notes that a host was read from, as a person asked.
    pub fn answered(&self, host: &Host) {
        self.note(host, |told| told.answered = true);
    }

    /// Notes that somebody else took a host out.
    pub fn left_alone(&self, host: &Host) {
        self.note(host, |told| told.left_alone = true);
    }

    /// Adds a note to the host's row of the closing table.
    pub fn remark(&self, host: &Host, note: &str) {
        self.note(host, |told| match &mut told.note {
            Some(noted) if noted.contains(note) => {}
            Some(noted) => *noted += &format!("; {note}"),
            none => *none = Some(note.to_owned()),
        });
    }

    /// Notes that a host goes out: earlier times out no longer count.
    pub fn goes_out(&self, host: &Host) {
        self.note(host, |told| (told.out_since, told.exposed) = (None, None));
    }

    /// Marks hosts that took requests while they were out as failed: rfab can't tell how the requests were answered.
    pub fn exposed(&self) {
        for told in self.seen.lock().unwrap().told.values_mut() {
            told.failure = told.failure.take().or(told.exposed.take());
        }
    }

    /// Notes which places of a host the current drain or ready changes; all of them if `places` is none.
    pub fn moves(&self, host: &Host, places: Option<Vec<String>>) {
        self.note(host, |told| told.moves = places.map_or(Moves::All, Moves::Only));
    }

    /// Notes that the current drain doesn't apply to a host: somebody else took it out.
    pub fn stays_theirs(&self, host: &Host) {
        self.note(host, |told| told.moves = Moves::Nothing);
    }

    /// Notes that a probe succeeded after the last change of its host.
    pub fn proven(&self, probe: &Probe) {
        self.note(&probe.host, |told| (told.proven, told.probe) = (true, Some(probe.clone())));
    }

    /// Returns the hosts of a fleet that this run put back and didn't take out since, with the time; not those that
    /// were already seen down.
    pub fn back(&self, fleet: &Fleet) -> Vec<(Host, Time)> {
        let seen = self.seen.lock().unwrap();
        let back = |host: &Host| {
            let told = seen.told.get(&key(host)).filter(|told| told.failure.is_none())?;
            Some((host.clone(), told.back?))
        };
        fleet.hosts.iter().filter_map(back).collect()
    }

    /// Notes that a host was seen down after it was put back.
    pub fn died(&self, host: &Host, failure: &Failure) {
        self.note(host, |told| told.died = true);
        self.failed(host, failure);
    }

    /// Notes that a host was seen to serve this long after it was put back.
    pub fn looked(&self, host: &Host, after: Time) {
        self.note(host, |told| told.looked = Some(after));
    }

    /// Notes the release that a host has.
    pub fn saw_releases(&self, host: &Host, listing: &Listing) {
        self.note(host, |told| {
            told.old.get_or_insert_with(|| listing.current.clone());
            told.new = Some(listing.current.clone());
            told.listing = Some(listing.clone());
        });
    }
}
