//! A tool that does a piece of work beside others.
use super::{
    cost::Cost,
    results::{Part, Row},
};
use lab::Lab;

/// A tool, and the line of sh by which it does a piece of work.
pub struct Contender {
    pub work: String,
    pub tool: String,
    pub line: String,
    /// What is typed before, and isn't measured.
    pub before: String,
}

impl Contender {
    pub fn new(work: &str, tool: &str, line: impl Into<String>) -> Contender {
        Contender { work: work.to_owned(), tool: tool.to_owned(), line: line.into(), before: String::new() }
    }

    /// Sets what is typed before, which isn't measured.
    pub fn after(self, before: impl Into<String>) -> Contender {
        Contender { before: before.into(), ..self }
    }

    /// Does the work once.
    pub fn run(&self, lab: &Lab) -> Result<Cost, String> {
        if !self.before.is_empty() {
            Cost::of(lab, &self.before).map_err(|said| format!("before: {said}"))?;
        }
        // No turn pays for what an earlier one wrote.
        Cost::of(lab, "sync")?;
        Cost::of(lab, &self.line)
    }
}

/// What the rounds cost, by work and tool in the order of the first round.
#[derive(Default)]
pub struct Rounds(Vec<Turns>);

struct Turns {
    work: String,
    tool: String,
    costs: Result<Vec<Cost>, String>,
}

impl Rounds {
    /// Adds what one tool's turn cost. After a failure, it has no more turns.
    pub fn add(&mut self, work: &str, tool: &str, turn: impl FnOnce() -> Result<Cost, String>) {
        let at = match self.0.iter().position(|turns| turns.work == work && turns.tool == tool) {
            Some(at) => at,
            None => {
                self.0.push(Turns { work: work.to_owned(), tool: tool.to_owned(), costs: Ok(Vec::new()) });
                self.0.len() - 1
            }
        };
        let Ok(costs) = &mut self.0[at].costs else { return };
        match turn() {
            Ok(cost) => {
                let Cost { wall, cpu, bytes, resident } = cost;
                println!("{work:<44} {tool:<28} {wall:>8.2} s {cpu:>8.2} s {:>9} kB {resident:>8} KiB", bytes / 1000);
                costs.push(cost);
            }
            Err(said) => {
                println!("{work:<44} {tool:<28} failed: {said}");
                self.0[at].costs = Err(said);
            }
        }
    }

    /// Lets a contender have its turn.
    pub fn turn(&mut self, lab: &Lab, contender: &Contender) {
        self.add(&contender.work, &contender.tool, || contender.run(lab));
    }

    /// Writes the medians into a part, each as a row; tools that failed are named.
    pub fn end(self, part: &mut Part) {
        for Turns { work, tool, costs } in self.0 {
            match costs {
                Ok(costs) if !costs.is_empty() => {
                    let walls = costs.iter().map(|cost| cost.wall).collect();
                    part.rows.push(Row { work, tool, cost: Cost::median(&costs), walls });
                }
                Ok(_) => {}
                Err(said) => {
                    let error = said.lines().find(|line| line.contains("error") || line.contains("rror:"));
                    let why = error.or_else(|| said.lines().last()).unwrap_or_default();
                    part.left_out(&tool, &format!("failed at {work}: {}", why.trim()));
                }
            }
        }
    }
}

/// Lets contenders have their turns, in several rounds.
pub fn compare(lab: &Lab, part: &mut Part, contenders: &[Contender]) {
    let mut rounds = Rounds::default();
    for _ in 0..part.rounds {
        contenders.iter().for_each(|contender| rounds.turn(lab, contender));
    }
    rounds.end(part);
}
