//! What a piece of work costs.
use lab::Lab;
use serde::{Deserialize, Serialize};
use std::{fs, time::Duration};

/// What a line cost, or the medians of several.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Seconds that a person waits.
    pub wall: f64,
    /// Seconds of processors, in the program and what it waited for; what runs on hosts isn't in it.
    pub cpu: f64,
    /// Bytes that the network carried, in both directions.
    pub bytes: u64,
    /// The largest process, in KiB.
    pub resident: u64,
}

/// The longest that a line may take.
const LONGEST: Duration = Duration::from_secs(1800);

impl Cost {
    /// Runs a line of sh as the lab's operator, in the project's folder; the error is what it printed last.
    pub fn of(lab: &Lab, line: &str) -> Result<Cost, String> {
        let file = lab.folder.join("runs/cost");
        let told = file.display().to_string();
        let before = carried();
        let arguments = ["-q", "-f", "%e %U %S %M", "-o", &told, "sh", "-c", line];
        let path = format!("{}:{}", lab.folder.join("ssh").display(), std::env::var("PATH").unwrap_or_default());
        let output = lab.program("time", &arguments).env("PATH", &path).timeout(LONGEST).output();
        let bytes = carried() - before;
        if !output.ok() {
            let said = format!("{}{}", output.stdout, output.stderr);
            let lines: Vec<&str> = said.lines().collect();
            return Err(lines[lines.len().saturating_sub(60)..].join("\n"));
        }
        let text = fs::read_to_string(&file).expect("what `time` wrote");
        let fields: Vec<f64> = text.split_whitespace().filter_map(|field| field.parse().ok()).collect();
        let [wall, user, system, resident] = fields[..] else { panic!("`time` wrote {text:?}") };
        Ok(Cost { wall, cpu: user + system, bytes, resident: resident as u64 })
    }

    /// Returns the medians.
    pub fn median(costs: &[Cost]) -> Cost {
        let middle = |of: fn(&Cost) -> f64| {
            let mut all: Vec<f64> = costs.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        Cost {
            wall: middle(|cost| cost.wall),
            cpu: middle(|cost| cost.cpu),
            bytes: middle(|cost| cost.bytes as f64) as u64,
            resident: middle(|cost| cost.resident as f64) as u64,
        }
    }
}

/// Returns how many bytes the network of this namespace has carried.
fn carried() -> u64 {
    let text = fs::read_to_string("/proc/self/net/dev").expect("the interfaces");
    let line = text.lines().find_map(|line| line.trim().strip_prefix("lo:")).expect("an interface");
    line.split_whitespace().next().and_then(|bytes| bytes.parse().ok()).expect("a number")
}
