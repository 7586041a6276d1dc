//! A failure as people read it: what happened, where in which files, what to do.
use super::{Palette, excerpt::excerpts, filter::visible};
use crate::failure::Failure;

/// The whole report of a failure.
pub fn failure(failure: &Failure, palette: Palette) -> String {
    report(failure, &[], palette)
}

/// The reports of several failures; hosts that say the same share one.
pub fn failures(failures: &[Failure], palette: Palette) -> String {
    let same = |a: &Failure, b: &Failure| a.reason == b.reason && unnamed(a) == unnamed(b);
    let mut text = String::new();
    for (at, one) in failures.iter().enumerate() {
        if failures[..at].iter().any(|before| same(before, one)) {
            continue;
        }
        let likewise = failures[at + 1..].iter().filter(|after| same(one, after)).filter_map(|f| f.host.as_deref());
        text += &format!("\n{}", report(one, &likewise.collect::<Vec<_>>(), palette));
    }
    text
}

/// The message without the name of the failure's own host.
fn unnamed(failure: &Failure) -> String {
    match &failure.host {
        Some(host) => failure.message.replace(&format!("`{host}`"), "``"),
        None => failure.message.clone(),
    }
}

/// The message, with the host in front where it does not name it.
pub fn named(failure: &Failure) -> String {
    match &failure.host {
        Some(host) if !failure.message.contains(&format!("`{host}`")) => format!("host `{host}`: {}", failure.message),
        _ => failure.message.clone(),
    }
}

fn report(failure: &Failure, likewise: &[&str], palette: Palette) -> String {
    let mut text = String::new();
    for (i, line) in named(failure).lines().enumerate() {
        let mark = if i == 0 { palette.bad("error: ") } else { String::new() };
        text += &format!("{mark}{}\n", visible(line, false));
    }
    text += &excerpts(&failure.places, palette).unwrap_or_default();
    if !likewise.is_empty() {
        text += &format!("  likewise: {}\n", visible(&likewise.join(", "), false));
    }
    if let Some(help) = &failure.help {
        for (i, line) in help.lines().enumerate() {
            let mark = if i == 0 { palette.good("help: ") } else { "      ".to_owned() };
            text += &format!("  {mark}{}\n", visible(line, false));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Excerpt, Reason};

    const PLAIN: Palette = Palette { color: false };

    #[test]
    fn hosts_that_say_the_same_share_a_report() {
        let full =
            |host: &str| Failure::failed(format!("host `{host}`: the disk is full")).on(&host.into()).help("make room");
        let all = [full("web1"), full("web2"), Failure::failed("it is gone").on(&"web3".into()), full("web4")];
        assert_eq!(
            failures(&all, Palette { color: false }),
            "
error: host `web1`: the disk is full
  likewise: web2, web4
  help: make room

error: host `web3`: it is gone
"
        );
    }

    #[test]
    fn a_failure_shows_the_line_and_what_to_do() {
        let place = Excerpt::of("fleets/prod.toml", "guarded = true\nusr = \"x\"\n", 15..18);
        let wrong = Failure::new(Reason::Fabfile, "there is no key `usr` in a fleet file").help("did you mean `user`?");
        assert_eq!(
            failure(&wrong.at(place), PLAIN),
            "\
error: there is no key `usr` in a fleet file
   ╭─[fleets/prod.toml:2:1]
 1 │ guarded = true
 2 │ usr = \"x\"
   · ───
   ╰────
  help: did you mean `user`?
"
        );
    }
}
