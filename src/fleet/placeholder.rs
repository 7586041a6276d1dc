//! Placeholders for a host's values in the texts of a fleet file: `{name}`, `{n}`, and its variables.
use crate::host::Host;

/// Fills a text with a host's values; `Err` is the placeholder that has no value.
///
/// `{n}` is the number at the end of the host's name, without leading zeros.
pub(super) fn filled(text: &str, host: &Host) -> Result<String, String> {
    filled_by(text, |key| stands_for(key, host))
}

/// Fills a text with the value that a function returns for each placeholder.
pub(super) fn filled_by(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let end = rest[start..].find('}').map_or(rest.len(), |end| start + end + 1);
        let placeholder = &rest[start..end];
        filled.push_str(&rest[..start]);
        filled.push_str(&value(placeholder.trim_matches(['{', '}'])).ok_or_else(|| placeholder.to_owned())?);
        rest = &rest[end..];
    }
    Ok(filled + rest)
}

pub(super) fn stands_for(key: &str, host: &Host) -> Option<String> {
    match key {
        "name" => Some(host.name.to_string()),
        "n" => {
            let digits = host.name.len() - host.name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let number = &host.name[host.name.len() - digits..];
            (digits > 0).then(|| number.trim_start_matches('0')).map(|n| if n.is_empty() { "0" } else { n }.to_owned())
        }
        key => match host.vars.get(key)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        },
    }
}
