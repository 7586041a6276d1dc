//! A covering set: its rows contain every two values that can stand together.
use crate::choices::table::{Bar, Choice};
use std::collections::BTreeSet;

/// The value of each choice, by its place in the table.
pub type Row = Vec<usize>;

/// Two values, each as its choice and its place there; the lower choice comes first.
pub type Pair = ((usize, usize), (usize, usize));

/// The rows that a seed makes of a table, and the pairs that no row has.
pub struct Cover {
    pub rows: Vec<Row>,
    /// Each with its reason.
    pub left_out: Vec<(Pair, String)>,
}

/// A generator of numbers that depend only on the seed, the same on every machine: SplitMix64.
pub struct Numbers(u64);

impl Numbers {
    pub fn of(seed: u64) -> Numbers {
        Numbers(seed)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// A table, and the pairs that still have to be covered.
struct Maker<'a> {
    choices: &'a [&'a Choice],
    bars: &'a [&'a Bar],
    numbers: Numbers,
    open: BTreeSet<Pair>,
    barred: BTreeSet<Pair>,
}

/// How many rows are tried for each one that is taken.
const TRIES: usize = 12;

/// Makes the rows of a seed.
pub fn cover(choices: &[&Choice], bars: &[&Bar], seed: u64) -> Cover {
    let mut maker = Maker { choices, bars, numbers: Numbers::of(seed), open: BTreeSet::new(), barred: BTreeSet::new() };
    let mut left_out = Vec::new();
    for pair in pairs(choices) {
        match maker.why_not(pair) {
            Some(why) => {
                maker.barred.insert(pair);
                left_out.push((pair, why));
            }
            None => drop(maker.open.insert(pair)),
        }
    }
    let mut rows = Vec::new();
    while !maker.open.is_empty() {
        let at = maker.numbers.below(maker.open.len());
        let pair = *maker.open.iter().nth(at).expect("an open pair");
        let rows_with: Vec<Row> = (0..TRIES).filter_map(|_| maker.row_with(pair)).collect();
        let Some(best) = rows_with.into_iter().max_by_key(|row| maker.new_in(row)) else {
            maker.open.remove(&pair);
            left_out.push((pair, "no row can have both".to_owned()));
            continue;
        };
        let covered: BTreeSet<Pair> =
            maker.open.iter().filter(|pair| covers(choices, &best, **pair)).copied().collect();
        maker.open.retain(|pair| !covered.contains(pair));
        rows.push(best);
    }
    Cover { rows, left_out }
}

/// Returns whether a row tries two values together. A value that is refused hides every pair without it.
pub fn covers(choices: &[&Choice], row: &Row, (one, other): Pair) -> bool {
    let refused = |at: usize| choices[at].values[row[at]].refused.is_some();
    let seen = (0..row.len()).all(|at| !refused(at) || at == one.0 || at == other.0);
    seen && row[one.0] == one.1 && row[other.0] == other.1
}

/// Returns every two values of different choices.
pub fn pairs(choices: &[&Choice]) -> Vec<Pair> {
    let values = |at: usize| (0..choices[at].values.len()).map(move |value| (at, value));
    let mut all = Vec::new();
    for one in 0..choices.len() {
        for other in one + 1..choices.len() {
            all.extend(values(one).flat_map(|a| values(other).map(move |b| (a, b))));
        }
    }
    all
}

impl Maker<'_> {
    /// Returns why two values can't stand together.
    fn why_not(&self, (one, other): Pair) -> Option<String> {
        let value = |(choice, value): (usize, usize)| &self.choices[choice].values[value];
        if value(one).refused.is_some() && value(other).refused.is_some() {
            return Some("a run ends at the first refusal".to_owned());
        }
        let is = |(choice, values): (&str, &[&str]), at: (usize, usize)| {
            self.choices[at.0].name == choice && values.contains(&value(at).name)
        };
        let bars = |bar: &&&Bar| is(bar.one, one) && is(bar.other, other) || is(bar.one, other) && is(bar.other, one);
        self.bars.iter().find(bars).map(|bar| bar.why.to_owned())
    }

    /// Returns how many open pairs a row covers.
    fn new_in(&self, row: &Row) -> usize {
        self.open.iter().filter(|pair| covers(self.choices, row, **pair)).count()
    }

    /// Returns a row with both values of a pair, and with random values for the other choices.
    fn row_with(&mut self, (one, other): Pair) -> Option<Row> {
        let mut row = vec![None; self.choices.len()];
        (row[one.0], row[other.0]) = (Some(one.1), Some(other.1));
        let mut order: Vec<usize> = (0..row.len()).filter(|at| row[*at].is_none()).collect();
        self.numbers.shuffle(&mut order);
        self.fill(&mut row, &order).then(|| row.into_iter().flatten().collect())
    }

    /// Chooses the rest of a row; false if that is impossible.
    fn fill(&mut self, row: &mut Vec<Option<usize>>, order: &[usize]) -> bool {
        let Some((at, rest)) = order.split_first() else { return true };
        let set: Vec<(usize, usize)> = row.iter().enumerate().filter_map(|(n, v)| v.map(|v| (n, v))).collect();
        let pair = |one: (usize, usize), other| if one < other { (one, other) } else { (other, one) };
        let mut ways: Vec<usize> = (0..self.choices[*at].values.len()).collect();
        ways.retain(|way| {
            // A row has a value that is refused only if it is made for a pair with that value.
            self.choices[*at].values[*way].refused.is_none()
                && !set.iter().any(|other| self.barred.contains(&pair((*at, *way), *other)))
        });
        self.numbers.shuffle(&mut ways);
        let gain = |way: &usize| set.iter().filter(|other| self.open.contains(&pair((*at, *way), **other))).count();
        ways.sort_by_key(|way| std::cmp::Reverse(gain(way)));
        for way in ways {
            row[*at] = Some(way);
            if self.fill(row, rest) {
                return true;
            }
        }
        row[*at] = None;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::table::{bars, choices};

    #[test]
    fn every_pair_is_in_a_row_or_left_out_for_a_reason() {
        let choices = choices();
        for seed in 1..3 {
            let cover = cover(&choices, &bars(), seed);
            let left: BTreeSet<Pair> = cover.left_out.iter().map(|(pair, _)| *pair).collect();
            for pair in pairs(&choices) {
                let found = cover.rows.iter().any(|row| covers(&choices, row, pair));
                assert_ne!(found, left.contains(&pair), "{pair:?}, seed {seed}");
            }
            let lost: Vec<_> = cover.left_out.iter().filter(|(_, why)| why.starts_with("no row")).collect();
            assert!(lost.is_empty(), "{lost:?} fit, and nothing fits to both: say so by a bar");
        }
    }

    #[test]
    fn a_row_has_at_most_one_value_that_is_refused_so_that_none_hides_another() {
        let choices = choices();
        for row in cover(&choices, &bars(), 1).rows {
            let refused = row.iter().enumerate().filter(|(at, value)| choices[*at].values[**value].refused.is_some());
            assert!(refused.count() <= 1, "{row:?}");
        }
    }

    #[test]
    fn a_seed_makes_the_same_rows_again_and_another_makes_others() {
        let rows = |seed| cover(&choices(), &bars(), seed).rows;
        assert_eq!(rows(1), rows(1));
        let (one, other): (BTreeSet<Row>, BTreeSet<Row>) =
            (rows(1).into_iter().collect(), rows(2).into_iter().collect());
        assert!(one.intersection(&other).count() * 4 < one.len(), "nearly the same rows");
    }

    #[test]
    fn every_name_of_a_bar_is_in_the_table() {
        let choices = choices();
        for bar in bars() {
            for (name, values) in [bar.one, bar.other] {
                let choice = choices.iter().find(|choice| choice.name == name);
                let known: Vec<&str> = choice.iter().flat_map(|choice| choice.values).map(|value| value.name).collect();
                assert!(!values.is_empty() && values.iter().all(|value| known.contains(value)), "{name}: {values:?}");
            }
        }
    }
}
