//! Ranges in names of hosts, as Ansible writes them: `web[01:10]`, `web[01:10:3]`, `db-[a:f]`.

/// The most hosts that a name may stand for.
const MOST: usize = 1000;

/// Returns all hosts that a name stands for; `None` if one of its brackets isn't a range.
pub(super) fn unrolled(name: &str) -> Option<Vec<String>> {
    let mut names = vec![String::new()];
    let mut rest = name;
    while let Some((before, behind)) = rest.split_once('[') {
        let (range, after) = behind.split_once(']')?;
        let values = values(range)?;
        let longer = names.iter().flat_map(|name| values.iter().map(move |value| format!("{name}{before}{value}")));
        names = longer.take(MOST).collect();
        rest = after;
    }
    names.iter_mut().for_each(|name| name.push_str(rest));
    Some(names)
}

/// Unrolls `01:10`, `01:10:3` or `a:f`.
fn values(range: &str) -> Option<Vec<String>> {
    let mut parts = range.split(':');
    let (from, to) = (parts.next()?, parts.next()?);
    let step = parts.next().map_or(Some(1), |step| step.parse().ok()).filter(|step| *step > 0)?;
    if parts.next().is_some() {
        return None;
    }
    if let (Ok(first), Ok(last)) = (from.parse::<usize>(), to.parse::<usize>()) {
        let number = |n| format!("{n:0width$}", width = from.len());
        return Some((first..=last).step_by(step).take(MOST).map(number).collect());
    }
    let letter = |text: &str| text.chars().next().filter(|c| text.len() == 1 && c.is_ascii_alphabetic());
    let (first, last) = (letter(from)?, letter(to)?);
    Some((first..=last).step_by(step).map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_numbers_or_letters_and_maybe_a_step() {
        for (name, all) in [
            ("web1", "web1"),
            ("web[01:03].example.org", "web01.example.org web02.example.org web03.example.org"),
            ("www[01:04:2]", "www01 www03"),
            ("app-[a:c]", "app-a app-b app-c"),
            ("app-[a:e:2]", "app-a app-c app-e"),
            ("r[1:2]-[a:b]", "r1-a r1-b r2-a r2-b"),
        ] {
            assert_eq!(unrolled(name).unwrap().join(" "), all, "{name}");
        }
        for name in ["web[1]", "web[1:", "web[a:3]", "web[1:3:0]", "web[1:2:3:4]", "[::1]", "web[aa:bb]"] {
            assert_eq!(unrolled(name), None, "{name}");
        }
        assert_eq!(unrolled("web[1:999999999]").unwrap().len(), MOST);
    }
}
