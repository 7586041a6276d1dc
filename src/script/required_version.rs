//! The rfab version that a file requires: `//! rfab >= 0.4` in its first comment.
use crate::failure::{Cause, Excerpt, Failure};
use semver::{Version, VersionReq};

/// Refuses a file that requires another version of rfab.
///
/// `Fabfile`, with the requirement underlined.
pub(super) fn refuse(file: &str, text: &str) -> Result<(), Failure> {
    refuse_for(file, text, &Version::parse(env!("CARGO_PKG_VERSION")).expect("cargo's versions are versions"))
}

fn refuse_for(file: &str, text: &str, this: &Version) -> Result<(), Failure> {
    let head = text.lines().enumerate().take_while(|(_, line)| {
        let line = line.trim();
        line.is_empty() || line.starts_with("//")
    });
    for (at, line) in head {
        let Some(wanted) = wanted(line) else { continue };
        let column = line[..line.rfind(wanted).unwrap_or(0)].chars().count() + 1;
        let place = Excerpt { line: at + 1, column, length: wanted.chars().count(), ..Excerpt::word(file, text, 1, 1) };
        let wrong = |message: String, help: String| Err(Failure::new(Cause::Fabfile, message).help(help).at(place));
        match VersionReq::parse(wanted) {
            Ok(requirement) if requirement.matches(this) => {}
            Ok(_) => {
                let help = "install an rfab of that version, or change this line if the file works with this one";
                return wrong(format!("`{file}` requires rfab {wanted}, but this is {this}"), help.to_owned());
            }
            Err(why) => {
                let help = "write it as `//! rfab >= 0.4`, or `//! rfab >= 0.4, < 0.6`".to_owned();
                return wrong(format!("`{wanted}` isn't a version of rfab: {why}"), help);
            }
        }
    }
    Ok(())
}

/// Returns the text after `rfab` if it starts like a requirement; a sentence about rfab doesn't.
fn wanted(line: &str) -> Option<&str> {
    let wanted = line.trim().strip_prefix("//!")?.trim().strip_prefix("rfab")?;
    let begins = |c: char| c.is_ascii_digit() || "<>=^~".contains(c);
    let spaced = wanted.starts_with(|c: char| c == ' ' || "<>=^~".contains(c));
    Some(wanted.trim()).filter(|wanted| spaced && wanted.starts_with(begins))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<String> {
        let this = Version::new(0, 4, 2);
        refuse_for("fabfile.rhai", text, &this).err().map(|failure| failure.message)
    }

    #[test]
    fn a_version_that_fits_is_let_through_and_another_refused() {
        for text in [
            "//! rfab >= 0.4\nfn f() { }",
            "// Deploys.\n\n//! Of the shop.\n//! rfab >= 0.3, < 0.5\n",
            "//! rfab 0.4\n",
            "//!rfab>=0.4\n",
            "//! rfab deploys 3 shops; rfab >= 9 isn't asked for here\n",
            "//! rfabric 9\n",
            "fn f() { }\n//! rfab >= 9\n",
            "",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
        for (text, message) in [
            ("//! rfab >= 0.5", "`fabfile.rhai` requires rfab >= 0.5, but this is 0.4.2"),
            ("// Deploys.\n//! rfab < 0.4\nthis is no Rhai", "`fabfile.rhai` requires rfab < 0.4, but this is 0.4.2"),
            ("//! rfab = 0.4.1", "`fabfile.rhai` requires rfab = 0.4.1, but this is 0.4.2"),
            (
                "//! rfab >= new",
                "`>= new` isn't a version of rfab: unexpected character 'n' while parsing major version number",
            ),
        ] {
            assert_eq!(said(text).as_deref(), Some(message), "{text}");
        }
    }
}
