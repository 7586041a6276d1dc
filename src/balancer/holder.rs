//! Reads who holds a fleet's lock.
use crate::{
    bookkeeping::place,
    command::Command,
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::Host,
    model::{Model, Predicted},
    port::{Holder, Job},
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// Reads who holds a fleet's lock, without taking it; `None` if it's free or rfab can't look.
#[derive(Clone, Serialize)]
pub struct ReadHolder {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
}

/// Locks the door first: a run that wants the lock waits there, and never finds it busy because of this look.
const LOOK: &str = r#"case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
cd -P "$folder" 2>/dev/null || exit 0
for file in door lock; do [ -f "$file" ] && [ ! -L "$file" ] || exit 0; done
exec 8<door 9<lock || exit 0
flock -w 5 8 || exit 0
flock -n -s 9 || head -c 4096 lock"#;

impl ReadHolder {
    fn home(&self) -> Option<&Host> {
        let name = place(&self.fleet).ok()?;
        let balancer = self.fleet.balancers.iter().find(|balancer| balancer.name == name);
        balancer.map(|balancer| &balancer.host).or_else(|| self.fleet.host(&name))
    }
}

impl Read for ReadHolder {
    type Outcome = Option<Holder>;
    const NAME: &'static str = "read_holder";

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn describe(&self) -> String {
        format!("check who has the lock of {}", self.fleet.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<Holder>, Failure> {
        let Some(home) = self.home() else { return Ok(None) };
        let values = vec![("folder".into(), self.fleet.state_folder())];
        let command = Command::line(LOOK, values).expect("a good line");
        let job = Job { timeout: Some(Duration::from_secs(20)), keep: 4096, ..Job::new(&command) };
        let ended = at.real.site(&self.fleet.name).transport.run(home, job).await?;
        Ok(serde_json::from_slice(&ended.out).ok())
    }

    fn predict(&self, model: &mut Model) -> Predicted<Option<Holder>> {
        for balancer in &self.fleet.balancers {
            model.machine(&balancer.host)?;
        }
        Ok(model.state(&self.fleet.name)?.held_by.clone())
    }
}
