//! Finds names that resemble a mistyped one.
use crate::fabfile::task::Signature;

/// The most tasks to suggest.
const MOST: usize = 3;

/// Lists the tasks with names like a word, nearest first. The word counts up to its first `:`.
pub fn tasks<'a>(word: &str, tasks: &'a [Signature]) -> Vec<&'a Signature> {
    let typed = word.split(':').next().unwrap_or(word);
    let mut near: Vec<(usize, &Signature)> =
        tasks.iter().filter_map(|task| Some((distance_to_task(typed, &task.name)?, task))).collect();
    near.sort_by(|a, b| (a.0, &a.1.name).cmp(&(b.0, &b.1.name)));
    // A task that is much less similar than the nearest isn't suggested.
    let least = near.first().map_or(0, |(slips, _)| *slips);
    near.into_iter().take(MOST).filter(|(slips, _)| *slips <= least + 1).map(|(_, task)| task).collect()
}

/// Returns the name that is most like a word.
pub fn name<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names.into_iter().filter_map(|name| Some((distance(word, name)?, name))).min().map(|(_, name)| name)
}

/// Returns the distance to a task's name. The first and the last part of the name are near it.
fn distance_to_task(typed: &str, name: &str) -> Option<usize> {
    let (typed, name) = (flat(typed), flat(name));
    let part = |(first, _): (&str, &str)| first == typed;
    let of_name = name.rsplit('_').next() == Some(&*typed) || name.split_once('_').is_some_and(part);
    if of_name && typed != name { Some(1) } else { distance(&typed, &name) }
}

/// Counts the typos between two names; `None` if there are too many for names of their length.
fn distance(typed: &str, name: &str) -> Option<usize> {
    let (typed, name) = (flat(typed), flat(name));
    let (one, other) = (typed.chars().count(), name.chars().count());
    let slips = strsim::osa_distance(&typed, &name);
    (slips <= (one.max(other) / 3).max(1) && slips < one.min(other)).then_some(slips)
}

fn flat(name: &str) -> String {
    name.to_lowercase().replace(['.', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_like_a_word_is_offered_and_the_nearest_first() {
        let names = ["deploy", "prod", "proxy.flip", "proxy_all"];
        let best = |word| name(word, names);
        assert_eq!(best("depoly"), Some("deploy"));
        assert_eq!(best("Deploy"), Some("deploy"));
        assert_eq!(best("prdo"), Some("prod"));
        assert_eq!(best("proxy-flop"), Some("proxy.flip"));
        assert_eq!(best("prxy.al"), Some("proxy_all"));
        assert_eq!(best("stable"), None);
        assert_eq!(best("x"), None);
        assert_eq!(best(""), None);
    }

    #[test]
    fn the_first_and_the_last_part_of_a_task_are_like_the_task() {
        assert_eq!(distance_to_task("flip", "proxy.flip"), Some(1));
        assert_eq!(distance_to_task("flip", "proxy_flip"), Some(1));
        assert_eq!(distance_to_task("proxy", "proxy_flip"), Some(1));
        assert_eq!(distance_to_task("pro", "proxy_flip"), None);
        assert_eq!(distance_to_task("flop", "proxy.flip"), None);
    }
}
