//! What the tokens in a name of ssh's configuration stand for.
use std::{
    env,
    path::{Path, PathBuf},
};

/// What tokens stand for, by TOKENS of ssh_config(5).
pub(super) struct Tokens<'a> {
    pub home: &'a Path,
    /// The host as it was typed.
    pub host: &'a str,
    pub hostname: &'a str,
    pub port: u16,
    pub user: &'a str,
}

impl Tokens<'_> {
    /// Returns the path that a name means, or why rfab can't tell.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf, String> {
        let below = match name.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{}{rest}", self.home.display()),
            Some(_) => return Err(format!("rfab doesn't know the home folder in `{name}`")),
            None => name.to_owned(),
        };
        Ok(self.tokens(name, &variables(name, below)?)?.into())
    }

    fn tokens(&self, name: &str, text: &str) -> Result<String, String> {
        let (mut whole, mut letters) = (String::new(), text.chars());
        while let Some(letter) = letters.next() {
            match letter {
                '%' => match letters.next() {
                    Some('%') => whole.push('%'),
                    Some('d') => whole += &self.home.to_string_lossy(),
                    Some('h') => whole += self.hostname,
                    Some('n') => whole += self.host,
                    Some('p') => whole += &self.port.to_string(),
                    Some('r') => whole += self.user,
                    Some('i') => whole += &rustix::process::getuid().as_raw().to_string(),
                    _ => return Err(format!("rfab doesn't know a token in `{name}`")),
                },
                letter => whole.push(letter),
            }
        }
        Ok(whole)
    }
}

/// Puts in the values of environment variables, each written as `${NAME}`.
fn variables(name: &str, mut text: String) -> Result<String, String> {
    while let Some(start) = text.find("${") {
        let unknown = || format!("rfab doesn't know a variable in `{name}`");
        let length = text[start..].find('}').ok_or_else(unknown)?;
        let value = env::var(&text[start + 2..start + length]).map_err(|_| unknown())?;
        // A value with a variable in it isn't read again.
        if value.contains("${") {
            return Err(unknown());
        }
        text.replace_range(start..=start + length, &value);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_the_path_that_ssh_would_open_or_none_at_all() {
        let home = Path::new("/home/anna");
        let tokens = Tokens { home, host: "web", hostname: "web1.example.org", port: 2222, user: "deploy" };
        for (name, path) in [
            ("~/.ssh/id", "/home/anna/.ssh/id"),
            ("%d/%n-%h-%p-%r%%", "/home/anna/web-web1.example.org-2222-deploy%"),
            ("/plain", "/plain"),
        ] {
            assert_eq!(tokens.path(name).unwrap(), Path::new(path));
        }
        for unknown in ["~bert/id", "%C", "%", "${RFAB_HAS_NO_SUCH_VARIABLE}/id", "${"] {
            assert!(tokens.path(unknown).is_err(), "{unknown}");
        }
    }
}
