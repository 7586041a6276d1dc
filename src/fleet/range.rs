//! Ranges of host names: `web[01..21]`.

/// The most hosts that one name may stand for.
pub(super) const MOST: usize = 10_000;

/// Why a range isn't valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RangeError {
    #[error("a bracket in `{0}` isn't matched")]
    Open(String),
    #[error("`[{0}]` isn't a range")]
    NotNumbers(String),
    #[error("the range `[{0}]` runs backward")]
    Backwards(String),
    #[error("the range `[{0}]` is padded unevenly")]
    Uneven(String),
    #[error("`{name}` expands to more than {MOST} hosts")]
    TooMany { name: String },
}

impl RangeError {
    /// Says what to write instead.
    pub(super) fn help(&self) -> String {
        match self {
            RangeError::Open(_) | RangeError::NotNumbers(_) => "write a range as `web[01..21]`".into(),
            RangeError::Backwards(range) => {
                let (from, to) = range.split_once("..").unwrap_or_default();
                format!("write `[{to}..{from}]`")
            }
            RangeError::Uneven(_) => "give both ends the same number of digits, such as `[001..021]`".into(),
            RangeError::TooMany { .. } => "check the ends of the range".into(),
        }
    }
}

/// Unrolls the ranges of a name; the last one varies fastest. A name without ranges stands for itself.
///
/// A leading zero keeps its width: `[08..11]` is 08, 09, 10, 11.
pub(super) fn unroll(name: &str) -> Result<Vec<String>, RangeError> {
    let mut names = vec![String::new()];
    let mut rest = name;
    while let Some(start) = rest.find(['[', ']']) {
        let inside = rest[start..].strip_prefix('[').ok_or_else(|| RangeError::Open(name.to_owned()))?;
        let end = inside.find(']').ok_or_else(|| RangeError::Open(name.to_owned()))?;
        let (first, last, width) = ends(&inside[..end])?;
        let count = usize::try_from(last - first).ok().and_then(|n| n.checked_add(1));
        if count.and_then(|n| n.checked_mul(names.len())).is_none_or(|n| n > MOST) {
            return Err(RangeError::TooMany { name: name.to_owned() });
        }
        names = names
            .iter()
            .flat_map(|head| (first..=last).map(move |n| format!("{head}{}{n:0width$}", &rest[..start])))
            .collect();
        rest = &inside[end + 1..];
    }
    names.iter_mut().for_each(|name| name.push_str(rest));
    Ok(names)
}

/// Returns the first and last number of a range, and the width that numbers are padded to.
fn ends(range: &str) -> Result<(u64, u64, usize), RangeError> {
    let digits = |text: &str| (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok());
    let (from, to) = range.split_once("..").ok_or_else(|| RangeError::NotNumbers(range.to_owned()))?;
    let (Some(Some(first)), Some(Some(last))) = (digits(from), digits(to)) else {
        return Err(RangeError::NotNumbers(range.to_owned()));
    };
    let padded = |text: &str| text.len() > 1 && text.starts_with('0');
    if (padded(from) || padded(to)) && from.len() != to.len() {
        return Err(RangeError::Uneven(range.to_owned()));
    }
    if first > last {
        return Err(RangeError::Backwards(range.to_owned()));
    }
    Ok((first, last, if padded(from) { from.len() } else { 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_unroll_in_order_and_keep_their_zeros() {
        assert_eq!(unroll("web1").unwrap(), ["web1"]);
        assert_eq!(unroll("web[08..11]").unwrap(), ["web08", "web09", "web10", "web11"]);
        assert_eq!(unroll("web[8..11].x").unwrap(), ["web8.x", "web9.x", "web10.x", "web11.x"]);
        assert_eq!(unroll("r[1..2]n[01..02]").unwrap(), ["r1n01", "r1n02", "r2n01", "r2n02"]);
        assert_eq!(unroll("web[0..0]").unwrap(), ["web0"]);
        assert_eq!(unroll("n[1..10000]").unwrap().len(), MOST);
    }

    #[test]
    fn a_wrong_range_is_refused_and_a_huge_one_never_made() {
        let error = |name: &str| unroll(name).unwrap_err().to_string();
        assert_eq!(error("web[1..2"), "a bracket in `web[1..2` isn't matched");
        assert_eq!(error("web1..2]"), "a bracket in `web1..2]` isn't matched");
        assert_eq!(error("web[1-2]"), "`[1-2]` isn't a range");
        assert_eq!(error("web[a..c]"), "`[a..c]` isn't a range");
        assert_eq!(error("web[1..]"), "`[1..]` isn't a range");
        assert_eq!(error("web[[1..2]]"), "`[[1..2]` isn't a range");
        assert_eq!(error("web[3..1]"), "the range `[3..1]` runs backward");
        assert_eq!(error("web[1..021]"), "the range `[1..021]` is padded unevenly");
        assert_eq!(error("web[01..021]"), "the range `[01..021]` is padded unevenly");
        assert_eq!(error("web[01..100]"), "the range `[01..100]` is padded unevenly");
        assert_eq!(error("n[1..10001]"), "`n[1..10001]` expands to more than 10000 hosts");
        assert_eq!(error("n[1..101][1..100]"), "`n[1..101][1..100]` expands to more than 10000 hosts");
        assert_eq!(
            error("n[0..18446744073709551615]"),
            "`n[0..18446744073709551615]` expands to more than 10000 hosts"
        );
        assert_eq!(error("n[0..99999999999999999999]"), "`[0..99999999999999999999]` isn't a range");
    }
}
