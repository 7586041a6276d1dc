//! The rows of a seed, described for people.
use crate::choices::{
    cover::{Cover, Pair, Row, cover},
    need::Need,
    table::{Choice, Refusal, Value, bars, choices},
};
use std::{env, fmt::Write as _};

/// A covering set, and the table that it covers.
pub struct Rows {
    pub seed: u64,
    pub choices: Vec<&'static Choice>,
    pub cover: Cover,
}

impl Rows {
    /// Returns the rows of `RFAB_SEED`; without it, those of seed 1.
    pub fn of_environment() -> Rows {
        let seed = match env::var("RFAB_SEED") {
            Ok(text) => text.parse().unwrap_or_else(|_| panic!("RFAB_SEED={text} isn't a number")),
            Err(_) => 1,
        };
        Rows::of(seed)
    }

    pub fn of(seed: u64) -> Rows {
        let choices = choices();
        Rows { seed, cover: cover(&choices, &bars(), seed), choices }
    }

    pub fn count(&self) -> usize {
        self.cover.rows.len()
    }

    /// Returns the values of a row.
    pub fn values(&self, row: &Row) -> Vec<&'static Value> {
        row.iter().enumerate().map(|(at, value)| &self.choices[at].values[*value]).collect()
    }

    /// Replaces each slow value by its choice's first value.
    pub fn quick(&self, row: &Row) -> Row {
        let quick = |(at, value): (usize, &usize)| if self.choices[at].values[*value].slow { 0 } else { *value };
        row.iter().enumerate().map(quick).collect()
    }

    /// Replaces each value that this machine lacks something for by its choice's first value. Returns the row and what
    /// is missing.
    pub fn at_hand(&self, row: &Row) -> (Row, Vec<String>) {
        let mut missing = Vec::new();
        let mut row = row.clone();
        for (at, value) in row.iter_mut().enumerate() {
            if let Some(what) = self.choices[at].values[*value].need.and_then(Need::missing) {
                missing.push(what);
                *value = 0;
            }
        }
        (row, missing)
    }

    /// Makes what a row needs and this machine lacks; the error tells what can't be made.
    pub fn provide(&self, row: &Row) -> Result<(), String> {
        self.values(row).into_iter().filter_map(|value| value.need).try_for_each(Need::make)
    }

    /// Returns how a row must be refused.
    pub fn refusal(&self, row: &Row) -> Option<Refusal> {
        self.values(row).into_iter().find_map(|value| value.refused)
    }

    /// Returns a row as one line: `probe=json says=tag …`, and how it is refused.
    pub fn text(&self, row: &Row) -> String {
        let named = |(choice, value): (&&Choice, &Value)| format!("{}={}", choice.name, value.name).replace(' ', "-");
        let all: Vec<String> =
            self.choices.iter().zip(self.values(row)).map(|(choice, value)| named((choice, value))).collect();
        let end = self.refusal(row).map(|refusal| format!(" → {}: {}", refusal.code, refusal.says));
        all.join(" ") + end.unwrap_or_default().as_str()
    }

    /// Returns a pair as text: `probe=none says=tag`.
    fn pair(&self, (one, other): Pair) -> String {
        let name = |(choice, value): (usize, usize)| {
            let choice = self.choices[choice];
            format!("{}={}", choice.name, choice.values[value].name)
        };
        format!("{} {}", name(one), name(other))
    }

    /// Returns all rows, and the pairs that no row has, as text.
    pub fn listing(&self) -> String {
        let mut text = format!("seed {}: {} rows\n", self.seed, self.count());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_value_that_is_missing_or_slow_is_always_there_and_stands_with_all() {
        let replaced = |choice: &&Choice| choice.values.iter().any(|value| value.need.is_some() || value.slow);
        for choice in choices().into_iter().filter(replaced) {
            let first = &choice.values[0];
            assert!(first.need.is_none() && first.refused.is_none() && !first.slow, "{}", choice.name);
            for bar in bars() {
                for (name, values) in [bar.one, bar.other] {
                    assert!(name != choice.name || !values.contains(&first.name), "{name}={}: {}", first.name, bar.why);
                }
            }
        }
    }
}
