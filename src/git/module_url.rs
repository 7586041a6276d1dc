//! The URL of a submodule, which a commit names and which can be hostile.
use super::visible::visible;

/// Returns the URL that a submodule's URL means: one that begins with `./` or `../` starts from the URL of the
/// repository above. `None` if it has more `../` than that URL has parts.
pub(super) fn resolved(url: &str, above: &str) -> Option<String> {
    if !url.starts_with("./") && !url.starts_with("../") {
        return Some(url.to_owned());
    }
    let (mut base, mut rest, mut between) = (above.trim_end_matches('/'), url, '/');
    // What stands before the path is no folder: a `../` never leads to another host, nor into a login.
    let path = path_of(base);
    loop {
        if let Some(after) = rest.strip_prefix("../") {
            let cut = base.rfind('/').filter(|at| *at >= path).or_else(|| before_colon(base, path))?;
            between = if base[cut..].starts_with(':') { ':' } else { '/' };
            (base, rest) = (&base[..cut], after);
        } else if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else {
            return Some(format!("{base}{between}{}", rest.trim_end_matches('/')));
        }
    }
}

/// Returns where the path of a URL or of `host:path` begins.
fn path_of(url: &str) -> usize {
    match url.find("://") {
        Some(scheme) => url[scheme + 3..].find('/').map_or(url.len(), |at| scheme + 3 + at),
        None => url.find(':').filter(|at| !url[..*at].contains('/')).map_or(0, |at| at + 1),
    }
}

/// Returns the place of the colon of `host:name`, whose path has one part.
fn before_colon(base: &str, path: usize) -> Option<usize> {
    (path > 0 && base.len() > path).then(|| path - 1).filter(|at| base[*at..].starts_with(':'))
}

/// Returns why git isn't called with a URL that a commit names. Git itself judges the protocol.
pub(super) fn refused(url: &str) -> Option<&'static str> {
    let program =
        |(word, _): (&str, &str)| word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if url.is_empty() {
        Some("is empty")
    } else if url.starts_with('-') {
        Some("would be an option to git")
    } else if url.chars().any(crate::control::hidden) {
        Some("has control characters")
    } else if url.split_once("::").is_some_and(program) {
        Some("names a program to run")
    } else {
        (url.len() > 2000).then_some("is too long")
    }
}

/// Returns a URL for people, without a password. Over HTTP, the user's name can be a token, so it's hidden, too.
pub(super) fn shown(url: &str) -> String {
    let hidden = url.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find('/').unwrap_or(rest.len());
        let (login, host) = rest[..end].rsplit_once('@')?;
        let user = match login.split_once(':') {
            _ if scheme.starts_with("http") => String::new(),
            Some((user, _)) => format!("{user}:"),
            None => return None,
        };
        Some(format!("{scheme}://{user}…@{host}{}", &rest[end..]))
    });
    visible(&hidden.unwrap_or_else(|| url.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_url_starts_from_the_repository_above() {
        for (above, url, wanted) in [
            ("https://h.example/team/shop.git", "../lib.git", "https://h.example/team/lib.git"),
            ("https://h.example/team/shop.git/", "../../libs/lib/", "https://h.example/libs/lib"),
            ("https://h.example/team/shop", "./lib", "https://h.example/team/shop/lib"),
            ("git@h.example:team/shop.git", "../lib.git", "git@h.example:team/lib.git"),
            ("git@h.example:shop.git", "../lib.git", "git@h.example:lib.git"),
            ("/srv/git/shop.git", "../lib.git", "/srv/git/lib.git"),
            ("/srv/git/shop.git", "https://h.example/lib", "https://h.example/lib"),
            ("/srv/git/shop.git", "/lib", "/lib"),
        ] {
            assert_eq!(resolved(url, above).as_deref(), Some(wanted), "{above} {url}");
        }
        for (above, url) in [
            ("https://h.example/shop", "../../../x"),
            ("https://h.example/shop", "../../x"),
            ("https://token:x-oauth-basic@h.example/team/shop.git", "../../../x@evil.example/lib.git"),
            ("https://token:x-oauth-basic@h.example/team/shop.git", "../../../../evil.example/lib.git"),
            ("ssh://git@h.example:2222/shop.git", "../../@evil.example/lib.git"),
            ("https://[::1]:8080/shop.git", "../../x"),
            ("git@h.example:shop.git", "../../x"),
            ("/shop", "../../x"),
            ("shop", "../../x"),
        ] {
            assert_eq!(resolved(url, above), None, "{above} {url}");
        }
    }

    #[test]
    fn a_hostile_url_never_reaches_git() {
        for (url, why) in [
            ("", "is empty"),
            ("--upload-pack=touch /tmp/x", "would be an option to git"),
            ("ext::sh -c touch% /tmp/x", "names a program to run"),
            ("fd::17", "names a program to run"),
            ("https://h.example/a\nb", "has control characters"),
        ] {
            assert_eq!(refused(url), Some(why), "{url}");
        }
        for url in ["https://[::1]:8080/x", "git@h.example:a/b.git", "ssh://h.example/a", "/srv/git/lib.git"] {
            assert_eq!(refused(url), None, "{url}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(shown("https://bot:s3cret@h.example/x@y"), "https://…@h.example/x@y");
        assert_eq!(shown("https://token@h.example/x"), "https://…@h.example/x");
        assert_eq!(shown("ssh://bot:s3cret@h.example/x"), "ssh://bot:…@h.example/x");
        assert_eq!(shown("ssh://git@h.example/x"), "ssh://git@h.example/x");
        assert_eq!(shown("git@h.example:a\u{1b}.git"), "git@h.example:a\\u{1b}.git");
    }
}
