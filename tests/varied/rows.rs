//! The rows of a seed, with names for people.
use crate::{
    cover::{Cover, Pair, Row, cover},
    need::Need,
    table::{Choice, Refusal, Value, bars, choices},
};
use std::{env, fmt::Write as _};

/// A covering set and the table that it is of.
pub struct Rows {
    pub seed: u64,
    pub choices: Vec<&'static Choice>,
    pub cover: Cover,
}

impl Rows {
    /// Those of `RFAB_SEED`, else of seed 1.
    pub fn of_environment() -> Rows {
        let seed = match env::var("RFAB_SEED") {
            Ok(text) => text.parse().unwrap_or_else(|_| panic!("RFAB_SEED={text} is not a number")),
            Err(_) => 1,
        };
        Rows::of(seed)
    }

    pub fn of(seed: u64) -> Rows {
        let choices = choices();
        Rows { seed, cover: cover(&choices, &bars(), seed), choices }
    }

    pub fn len(&self) -> usize {
        self.cover.rows.len()
    }

    /// The values of a row.
    pub fn values(&self, row: &Row) -> Vec<&'static Value> {
        row.iter().enumerate().map(|(at, value)| &self.choices[at].values[*value]).collect()
    }

    /// What of this machine a row needs and is not there.
    pub fn missing(&self, row: &Row) -> Vec<String> {
        self.needs(row).filter_map(Need::missing).collect()
    }

    /// Makes what a row needs and is not there, or says what can't be made.
    pub fn provide(&self, row: &Row) -> Result<(), String> {
        self.needs(row).try_for_each(Need::make)
    }

    fn needs(&self, row: &Row) -> impl Iterator<Item = Need> {
        self.values(row).into_iter().filter_map(|value| value.need)
    }

    /// How a row must be refused.
    pub fn refusal(&self, row: &Row) -> Option<Refusal> {
        self.values(row).into_iter().find_map(|value| value.refused)
    }

    /// A row as one line: `probe=json says=tag …`, and how it is refused.
    pub fn text(&self, row: &Row) -> String {
        let named = |(choice, value): (&&Choice, &Value)| format!("{}={}", choice.name, value.name).replace(' ', "-");
        let all: Vec<String> =
            self.choices.iter().zip(self.values(row)).map(|(choice, value)| named((choice, value))).collect();
        let end = self.refusal(row).map(|refusal| format!(" → {}: {}", refusal.code, refusal.says));
        all.join(" ") + end.unwrap_or_default().as_str()
    }

    /// A pair, as `probe=none says=tag`.
    fn pair(&self, (one, other): Pair) -> String {
        let name = |(choice, value): (usize, usize)| {
            let choice = self.choices[choice];
            format!("{}={}", choice.name, choice.values[value].name)
        };
        format!("{} {}", name(one), name(other))
    }

    /// Everything that there is to know of it.
    pub fn listing(&self) -> String {
        let mut text = format!("seed {}: {} rows\n", self.seed, self.len());
        for (at, row) in self.cover.rows.iter().enumerate() {
            let _ = writeln!(text, "{at:3}  {}", self.text(row));
        }
        let _ = writeln!(text, "{} pairs are left out:", self.cover.left_out.len());
        for (pair, why) in &self.cover.left_out {
            let _ = writeln!(text, "     {}: {why}", self.pair(*pair));
        }
        text
    }
}
