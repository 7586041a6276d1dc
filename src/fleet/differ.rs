//! The differences between two states of a fleet.
use super::Fleet;
use serde_json::Value;

/// The most differences that are listed.
const MOST: usize = 5;

/// Lists by key what differs in `now` from `then`: `app.keep` was 3 and is 5.
pub fn differences(then: &Fleet, now: &Fleet) -> Vec<String> {
    let value = |fleet: &Fleet| serde_json::to_value(fleet).expect("a fleet is plain data");
    let mut found = Vec::new();
    compare("", &value(then), &value(now), &mut found);
    if found.len() > MOST {
        let more = found.len() - MOST;
        found.truncate(MOST);
        found.push(format!("and {more} more"));
    }
    found
}

fn compare(key: &str, then: &Value, now: &Value, found: &mut Vec<String>) {
    let at = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match (then, now) {
        _ if then == now => {}
        (Value::Object(then), Value::Object(now)) => {
            for (name, was) in then {
                compare(&at(name), was, now.get(name).unwrap_or(&Value::Null), found);
            }
            for (name, is) in now.iter().filter(|(name, _)| !then.contains_key(*name)) {
                compare(&at(name), &Value::Null, is, found);
            }
        }
        (Value::Array(then), Value::Array(now)) if named(then) && named(now) => {
            let by_name = |all: &[Value]| all.iter().map(|v| (v["name"].to_string(), v.clone())).collect();
            let trimmed = |map: serde_json::Map<String, Value>| {
                Value::Object(map.into_iter().map(|(k, v)| (k.trim_matches('"').to_owned(), v)).collect())
            };
            compare(key, &trimmed(by_name(then)), &trimmed(by_name(now)), found);
        }
        (Value::Null, is) => found.push(format!("`{key}` is new: {}", short(is))),
        (was, Value::Null) => found.push(format!("`{key}` is gone: {}", short(was))),
        (was, is) => found.push(format!("`{key}` was {} and is {}", short(was), short(is))),
    }
}

/// Returns whether each of them has a name.
fn named(all: &[Value]) -> bool {
    !all.is_empty() && all.iter().all(|v| v["name"].is_string())
}

fn short(value: &Value) -> String {
    match value {
        Value::Object(map) if map.contains_key("name") => map["name"].to_string(),
        value => {
            let text = value.to_string();
            if text.chars().count() <= 40 { text } else { text.chars().take(40).chain(['…']).collect() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Folders, *};
    use std::path::Path;

    fn fleet(keep: u32, hosts: &str) -> Fleet {
        let text = format!("[app]\nrepository = \".\"\npath = \"/srv/shop\"\nkeep = {keep}\n[hosts]\n{hosts}\n");
        let folder = Path::new("/p");
        super::super::parse("prod.toml", "prod", &text, Folders { project: folder, fleet: folder }, &[]).unwrap()
    }

    #[test]
    fn what_differs_is_named_by_its_key() {
        let then = fleet(3, "web1 = { roles = [\"web\"] }\nweb2 = { roles = [\"web\"] }");
        let now = fleet(5, "web1 = { roles = [\"worker\"] }\nweb3 = { roles = [\"web\"] }");
        assert_eq!(differences(&then, &then), Vec::<String>::new());
        assert_eq!(
            differences(&then, &now),
            [
                "`app.keep` was 3 and is 5",
                "`hosts.web1.roles` was [\"web\"] and is [\"worker\"]",
                "`hosts.web2` is gone: \"web2\"",
                "`hosts.web3` is new: \"web3\"",
                "`order` was [\"web\"] and is [\"worker\",\"web\"]"
            ]
        );
    }
}
