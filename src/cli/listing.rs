//! Lists tasks: as text, as JSON, and one by one.
use crate::fabfile::task::Signature;
use crate::line::usage;
use serde::Serialize;

/// The widest task that has its doc on the same line.
const WIDEST: usize = 32;

/// Returns the tasks as `--list` shows them: first those that name hosts, each with its parameters and first doc line.
pub fn text(tasks: &[Signature]) -> String {
    let width = tasks.iter().flat_map(usage::lines).map(|line| line.len()).filter(|width| *width <= WIDEST).max();
    let group = |title: &str, names_hosts: bool| {
        let lines: String = by_name(tasks)
            .into_iter()
            .filter(|task| task.names_hosts == names_hosts)
            .map(|task| entry(task, width.unwrap_or(0)))
            .collect();
        (!lines.is_empty()).then(|| format!("{title}:\n{lines}"))
    };
    let groups: Vec<String> =
        [group("Tasks that name hosts", true), group("Tasks", false)].into_iter().flatten().collect();
    if groups.is_empty() { "The fabfile has no tasks.\n".to_owned() } else { groups.join("\n") }
}

/// Returns the tasks as `--list --json` shows them, by name: `{v, tasks: [signature, …]}`.
pub fn json(tasks: &[Signature]) -> String {
    #[derive(Serialize)]
    struct List<'a> {
        v: u8,
        tasks: Vec<&'a Signature>,
    }
    let list = List { v: 1, tasks: by_name(tasks) };
    let text = serde_json::to_string_pretty(&list).expect("a list of texts and numbers is always JSON");
    text + "\n"
}

/// Returns what `--help` shows of the tasks among some words: how they are written, and their whole docs.
///
/// `None` if no word is a task.
pub fn about(words: &[String], tasks: &[Signature]) -> Option<String> {
    let mut named: Vec<&Signature> = Vec::new();
    for word in words {
        let name = word.split(':').next().unwrap_or(word);
        for task in tasks.iter().filter(|task| task.answers_to(name)) {
            if !named.contains(&task) {
                named.push(task);
            }
        }
    }
    let page = |task: &&Signature| {
        let doc = task.doc.trim().lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n");
        format!("{}\n{}", usage::lines(task).join("\n"), doc.collect::<String>())
    };
    (!named.is_empty()).then(|| named.iter().map(page).collect::<Vec<_>>().join("\n"))
}

fn by_name(tasks: &[Signature]) -> Vec<&Signature> {
    let mut tasks: Vec<&Signature> = tasks.iter().collect();
    tasks.sort_by(|a, b| a.name.cmp(&b.name));
    tasks
}

/// Returns a task's lines, with its doc after the last line or, if that's too wide, below it.
fn entry(task: &Signature, width: usize) -> String {
    let written = usage::lines(task).join("\n  ");
    let last = written.lines().last().map_or(0, |line| line.trim_start().len());
    match task.summary() {
        "" => format!("  {written}\n"),
        doc if last > width => format!("  {written}\n  {:width$}  {doc}\n", ""),
        doc => format!("  {written}{:1$}  {doc}\n", "", width - last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabfile::task::Overload;

    fn task(name: &str, overloads: &[(&[&str], bool)], names_hosts: bool, doc: &str) -> Signature {
        let overload = |(parameters, options): &(&[&str], bool)| Overload {
            parameters: parameters.iter().map(|name| name.to_string()).collect(),
            options: *options,
        };
        let module = name.starts_with("db.").then(|| "db".to_owned());
        Signature {
            name: name.into(),
            function: if module.is_some() { name.replace('.', "::") } else { name.replace('.', "_") },
            module,
            overloads: overloads.iter().map(overload).collect(),
            names_hosts,
            doc: doc.into(),
        }
    }

    fn shop() -> Vec<Signature> {
        let testing = "A testing environment.\n\nThere are three of them.";
        vec![
            task("testing", &[(&["number"], false), (&[], false)], true, testing),
            task("prod", &[(&["which"], false), (&[], false)], true, "Production, or a part of it."),
            task("proxy.flip", &[(&[], false)], false, "Swaps the groups."),
            task("deploy", &[(&["reference"], false)], false, "Deploys `reference` to the targets."),
            task("mark", &[(&["text"], true), (&[], false)], false, "Marks."),
            task("status", &[(&[], false)], false, ""),
            task("db.copy", &[(&["from_host", "to_host", "table", "where"], false)], false, "Copies a table."),
        ]
    }

    #[test]
    fn a_list_is_this_text() {
        assert_eq!(
            text(&shop()),
            "\
Tasks that name hosts:
  prod [WHICH]               Production, or a part of it.
  testing [NUMBER]           A testing environment.

Tasks:
  db.copy FROM_HOST TO_HOST TABLE WHERE
                             Copies a table.
  deploy REFERENCE           Deploys `reference` to the targets.
  mark
  mark TEXT [NAME=VALUE...]  Marks.
  proxy.flip                 Swaps the groups.
  status
"
        );
    }

    #[test]
    fn a_list_without_tasks_says_so_and_a_group_without_tasks_is_left_out() {
        assert_eq!(text(&[]), "The fabfile has no tasks.\n");
        assert_eq!(text(&shop()[2..3]), "Tasks:\n  proxy.flip  Swaps the groups.\n");
        assert_eq!(text(&shop()[1..2]), "Tasks that name hosts:\n  prod [WHICH]  Production, or a part of it.\n");
    }

    #[test]
    fn a_list_is_this_json() {
        let tasks = [shop().swap_remove(1), task("db.copy", &[(&["table"], true)], false, "Copies.\n\n\"All\".")];
        assert_eq!(
            json(&tasks),
            r#"{
  "v": 1,
  "tasks": [
    {
      "name": "db.copy",
      "function": "db::copy",
      "module": "db",
      "overloads": [
        {
          "parameters": [
            "table"
          ],
          "options": true
        }
      ],
      "names_hosts": false,
      "doc": "Copies.\n\n\"All\"."
    },
    {
      "name": "prod",
      "function": "prod",
      "module": null,
      "overloads": [
        {
          "parameters": [
            "which"
          ],
          "options": false
        },
        {
          "parameters": [],
          "options": false
        }
      ],
      "names_hosts": true,
      "doc": "Production, or a part of it."
    }
  ]
}
"#
        );
        assert_eq!(json(&[]), "{\n  \"v\": 1,\n  \"tasks\": []\n}\n");
    }

    #[test]
    fn help_for_words_is_that_of_the_tasks_among_them() {
        let about = |words: &[&str]| about(&words.iter().map(|word| word.to_string()).collect::<Vec<_>>(), &shop());
        assert_eq!(
            about(&["testing:2", "proxy_flip", "x", "testing", "mark"]).as_deref(),
            Some(
                "\
testing [NUMBER]
    A testing environment.

    There are three of them.

proxy.flip
    Swaps the groups.

mark
mark TEXT [NAME=VALUE...]
    Marks.
"
            )
        );
        assert_eq!((about(&[]), about(&["stable"])), (None, None));
    }
}
