//! Describes how to write a task, for lists and reports.
use crate::fabfile::task::{Overload, Signature};

const OPTIONS: &str = "[NAME=VALUE...]";

/// Returns how to write a task: `prod [WHICH]`. It's one line, or one for each overload if they don't merge.
pub fn lines(task: &Signature) -> Vec<String> {
    let mut overloads: Vec<&Overload> = task.overloads.iter().collect();
    overloads.sort_by_key(|overload| (overload.parameters.len(), overload.options));
    match merged(&overloads) {
        Some(parameters) => vec![format!("{}{parameters}", task.name)],
        None => overloads.iter().map(|one| format!("{}{}", task.name, merged(&[*one]).unwrap_or_default())).collect(),
    }
}

/// Returns a task's lines, with the first line of its doc indented below.
pub fn card(task: &Signature) -> String {
    let mut card = lines(task).iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n");
    if !task.summary().is_empty() {
        card += &format!("\n      {}", task.summary());
    }
    card
}

/// Merges the parameters of overloads, if each continues the one before and all agree about options.
fn merged(overloads: &[&Overload]) -> Option<String> {
    let mut text = String::new();
    let mut known: &[String] = &[];
    for (i, overload) in overloads.iter().enumerate() {
        let more = overload.parameters.strip_prefix(known)?;
        if !more.is_empty() {
            let names = more.iter().map(|name| name.to_uppercase()).collect::<Vec<_>>().join(" ");
            text += &if i == 0 { format!(" {names}") } else { format!(" [{names}]") };
        }
        known = &overload.parameters;
    }
    let takes = |count: usize| overloads.iter().any(|one| one.options && one.parameters.len() == count);
    let with_options = overloads.iter().filter(|one| takes(one.parameters.len())).count();
    match with_options {
        0 => Some(text),
        all if all == overloads.len() => Some(format!("{text} {OPTIONS}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(overloads: &[&[&str]]) -> Vec<String> {
        let overload = |names: &&[&str]| match names.split_last() {
            Some((&"options", names)) => {
                Overload { parameters: names.iter().map(|n| n.to_string()).collect(), options: true }
            }
            _ => Overload { parameters: names.iter().map(|n| n.to_string()).collect(), options: false },
        };
        lines(&Signature {
            name: "t".into(),
            function: "t".into(),
            module: None,
            overloads: overloads.iter().map(overload).collect(),
            names_hosts: false,
            doc: String::new(),
        })
    }

    #[test]
    fn overloads_are_merged_where_that_says_the_same() {
        assert_eq!(shown(&[&[]]), ["t"]);
        assert_eq!(shown(&[&["a"]]), ["t A"]);
        assert_eq!(shown(&[&["a"], &[]]), ["t [A]"]);
        assert_eq!(shown(&[&["a", "b_c", "d"], &["a"]]), ["t A [B_C D]"]);
        assert_eq!(shown(&[&[], &["a"], &["a", "b"]]), ["t [A] [B]"]);
        assert_eq!(shown(&[&["options"]]), ["t [NAME=VALUE...]"]);
        assert_eq!(shown(&[&["a", "options"], &["a"]]), ["t A [NAME=VALUE...]"]);
        assert_eq!(shown(&[&["a", "options"], &["options"]]), ["t [A] [NAME=VALUE...]"]);
    }

    #[test]
    fn overloads_that_do_not_merge_have_a_line_each() {
        assert_eq!(shown(&[&["x", "y"], &["a"]]), ["t A", "t X Y"]);
        assert_eq!(shown(&[&["a", "options"], &[]]), ["t", "t A [NAME=VALUE...]"]);
    }
}
