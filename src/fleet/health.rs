//! The `[app.health]` of a fleet: how a host proves that it serves.
use super::{
    App, Balancer, Health, Pattern, Version, placeholder, schema,
    section::{Section, expected, listed},
    tree::{Node, NodeValue},
    value,
    wrong::Problem,
};
use crate::{host::Host, misspelled::did_you_mean};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The longest default for how long hosts are watched after they're put back.
const SETTLE: Duration = Duration::from_secs(3);
const KEYS: [&str; 11] = schema::names(&schema::HEALTH);

/// Reads how a host is probed; `folder` is the fleet file's folder.
pub(super) fn read(node: &Node, folder: &Path, problems: &mut Vec<Problem>) -> Option<Health> {
    let section = Section::of(node, &KEYS, problems)?;
    let url = section.need("url", problems, url);
    let (version, pattern) = section.get("version", problems, version).unwrap_or((Version::None, None));
    let host = section.get("host", problems, host_header);
    let status = section.get("status", problems, status).unwrap_or_default();
    let body = section.get("body", problems, |node| value::text(node).map(str::to_owned));
    let server_name = section.get("server_name", problems, server_name);
    let ca = section.get("ca", problems, |node| certificates(node, folder));
    let good = section.get("good", problems, |node| value::whole(node, 1)).unwrap_or(3);
    let before = problems.len();
    let over = section.get("over", problems, value::duration).unwrap_or(Duration::from_secs(10));
    let within = section.get("within", problems, value::wait).unwrap_or(Duration::from_secs(60));
    if problems.len() == before && over >= within {
        let node = section.find("over").or(section.find("within")).unwrap_or(node);
        let message = "`within` is too short: good responses must span `over`";
        problems.push(
            Problem::new(message, node.place(format!("{over:?} of {within:?}")))
                .help("make `within` longer than `over`"),
        );
    }
    let settle = section.get("settle", problems, value::duration).unwrap_or(over.min(SETTLE));
    let url = url?;
    problems.extend(useless(&section, &url, &version));
    Some(Health { url, version, pattern, host, status, body, server_name, ca, good, over, within, settle })
}

/// Refuses a key that has no effect with a URL of this scheme.
fn useless(section: &Section<'_>, url: &str, version: &Version) -> Option<Problem> {
    let find = |keys: &[&'static str]| keys.iter().find_map(|key| section.find(key).map(|node| (*key, node)));
    if !url.starts_with("https:")
        && let Some((key, node)) = find(&["server_name", "ca"])
    {
        let problem = Problem::new(format!("`{key}` works only with an `https` URL"), node.place("there is no TLS"));
        return Some(problem.help("leave it out, or write `https` in `url`"));
    }
    if !url.starts_with("tcp:") {
        return None;
    }
    let answers = !matches!(version, Version::Process | Version::None);
    let (key, node) = find(&["host", "status", "body"]).or_else(|| find(&["version"]).filter(|_| answers))?;
    let problem = Problem::new(
        format!("`{key}` works only with an `http` or `https` URL"),
        node.place("a TCP probe reads no response"),
    );
    Some(problem.help("leave it out, or write `http` in `url`; `version` may be `process` here"))
}

fn url(node: &Node) -> Result<String, Problem> {
    let text = value::text(node)?;
    let filled = with_samples(text);
    let wrong = |label: String| {
        Err(Problem::new(format!("`{text}` isn't a URL to probe"), node.place(label))
            .help("write it as `http://{address}:8080/health`, or `tcp://{address}:5432` for a port alone"))
    };
    match url::Url::parse(&filled) {
        Err(error) => wrong(error.to_string()),
        Ok(url) if !matches!(url.scheme(), "http" | "https" | "tcp") => wrong("neither http, https nor tcp".into()),
        // The message doesn't repeat the text, so that no log holds the password.
        Ok(url) if !url.username().is_empty() || url.password().is_some() => Err(Problem::new(
            "the URL has a user or a password in it",
            node.place("a fleet file can't contain secrets"),
        )
        .help("let the balancer's machine reach the health URL without a password")),
        Ok(url) if url.host_str().is_none_or(str::is_empty) => wrong("names no host".into()),
        Ok(url) if url.scheme() == "tcp" && url.port().is_none() => wrong("names no port".into()),
        Ok(url) if url.scheme() == "tcp" && !matches!(url.path(), "" | "/") => wrong("a port has no path".into()),
        Ok(_) => Ok(text.to_owned()),
    }
}

/// Fills each placeholder of a text with a sample.
fn with_samples(text: &str) -> String {
    let sample = |key: &str| match key {
        "address" => "a.example",
        "name" => "a",
        // A number fits as a port and as a part of a name.
        _ => "1",
    };
    placeholder::filled_by(&bare(text), |key| Some(sample(key).to_owned())).unwrap_or_else(|_| text.to_owned())
}

/// Drops the brackets around a placeholder, because an IPv6 address brings its own.
fn bare(text: &str) -> String {
    text.replace("[{address}]", "{address}").replace("[{name}]", "{name}")
}

/// Reads the value of a `Host` header: a name or an address, and maybe a port.
fn host_header(node: &Node) -> Result<String, Problem> {
    let text = value::text(node)?;
    match url::Url::parse(&format!("http://{}/", with_samples(text))) {
        Ok(url) if url.path() == "/" && url.username().is_empty() && url.query().is_none() => Ok(text.to_owned()),
        _ => Err(Problem::new(format!("`{text}` isn't a host"), node.place("not a host"))
            .help("write it as `shop.example.org`, or with a port after a colon")),
    }
}

fn server_name(node: &Node) -> Result<String, Problem> {
    let text = value::text(node)?;
    let sample = with_samples(text);
    if value::is_name(&sample) && !sample.contains(':') && sample.parse::<std::net::IpAddr>().is_err() {
        Ok(text.to_owned())
    } else {
        Err(Problem::new(format!("`{text}` isn't a server's name"), node.place("not a name"))
            .help("write the name that the certificate is for, such as `shop.example.org`"))
    }
}

/// Reads statuses: a number, a range such as `200..399`, or a list of both.
fn status(node: &Node) -> Result<Vec<(u16, u16)>, Problem> {
    match &node.value {
        NodeValue::List(_) => value::filled(node, value::list(node, "a list of statuses", one_status)?),
        _ => Ok(vec![one_status(node)?]),
    }
}

fn one_status(node: &Node) -> Result<(u16, u16), Problem> {
    let (text, range) = match &node.value {
        NodeValue::Whole(number) => (number.to_string(), u16::try_from(*number).ok().map(|n| (n, n))),
        NodeValue::Text(text) => {
            let ends = text.split_once("..").and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
            (text.clone(), ends)
        }
        _ => return Err(expected("a status such as 204, a range such as \"200..399\", or several", node)),
    };
    match range {
        Some((first, last)) if first >= 100 && first <= last && last <= 599 => Ok((first, last)),
        _ => Err(Problem::new(format!("`{text}` isn't a status"), node.place("from 100 to 599"))
            .help("write a number such as `204`, or a range such as `\"200..399\"`")),
    }
}

/// Reads the path of a file of certificates, which starts from the fleet's folder.
fn certificates(node: &Node, folder: &Path) -> Result<PathBuf, Problem> {
    let text = value::text(node)?;
    let file = std::path::absolute(folder.join(text)).unwrap_or_else(|_| folder.join(text));
    let help = "write the path of a PEM file relative to the fleet file's folder";
    match std::fs::read_to_string(&file) {
        Ok(pem) if pem.contains("-----BEGIN CERTIFICATE-----") => Ok(file),
        Ok(_) => Err(Problem::new(format!("`{text}` has no certificate"), node.place("no PEM in it")).help(help)),
        Err(error) => Err(Problem::new(format!("`{text}` can't be read: {error}"), node.place("here")).help(help)),
    }
}

/// Reads where to find a version, and after another colon the pattern that finds it there.
fn version(node: &Node) -> Result<(Version, Option<Pattern>), Problem> {
    let text = value::text(node)?;
    let wrong = |label: &str, help: &str| {
        Err(Problem::new(format!("`{text}` doesn't prove a version"), node.place(label)).help(help))
    };
    let (how, rest) = text.split_once(':').map_or((text, None), |(how, rest)| (how, Some(rest)));
    let (place, pattern) = match (how, rest) {
        ("body", pattern) => ("", pattern),
        (_, Some(rest)) => match rest.split_once(':') {
            // A JSON pointer may contain a colon, but not the group that every pattern has.
            Some((_, pattern)) if how == "json" && !pattern.contains('(') => (rest, None),
            Some((place, pattern)) => (place, Some(pattern)),
            None => (rest, None),
        },
        (_, None) => ("", None),
    };
    let pattern = match pattern.map(Pattern::of).transpose() {
        Ok(pattern) => pattern,
        Err(why) => {
            let help = "put brackets around the part that is the version, such as `body:version = (.*)`";
            return wrong(&format!("its pattern is wrong: {why}"), help);
        }
    };
    let words = ["header:NAME", "json:/POINTER", "body", "process", "none"];
    let unknown = || did_you_mean(text, words).unwrap_or_else(|| format!("write {}", listed(&words)));
    let version = match (how, rest) {
        ("header", Some(_)) if place.is_empty() || !place.bytes().all(is_header) => {
            return wrong("not a header's name", "write it as `header:X-Release`");
        }
        ("header", Some(_)) => Version::Header(place.to_owned()),
        ("json", Some(_)) if !place.starts_with('/') => {
            return wrong("not a JSON pointer", "write it as `json:/release`");
        }
        ("json", Some(_)) => Version::Json(place.to_owned()),
        ("body", _) => Version::Body,
        ("process", None) => Version::Process,
        ("none", None) => Version::None,
        _ => return wrong("not known here", &unknown()),
    };
    Ok((version, pattern))
}

fn is_header(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

/// Refuses a health check that has no value or no URL for one of the hosts that are probed.
pub(super) fn check(node: &Node, app: Option<&App>, hosts: &[Host], balancers: &[Balancer]) -> Option<Problem> {
    let (app, node) = (app?, node.inner("health")?);
    let health = app.health.as_ref()?;
    let in_pool = |host: &Host| balancers.is_empty() || balancers.iter().any(|balancer| balancer.has(host));
    let probed = hosts.iter().filter(|host| app.is_on(host) && in_pool(host));
    let texts =
        [("url", Some(&health.url)), ("host", health.host.as_ref()), ("server_name", health.server_name.as_ref())];
    let nothing = |host: &Host| {
        let of = |(key, text): (&str, Option<&String>)| Some((node.inner(key)?, filled(text?, host).err()?));
        let (node, placeholder) = texts.into_iter().find_map(of)?;
        let message = format!("`{placeholder}` has no value at `{}`", host.name);
        let help = "write {address}, {name}, {n} (the number at its end), or one of the host's own keys in `[hosts]`";
        Some(Problem::new(message, node.place("has no value here")).help(help))
    };
    let no_url = |host: &Host| {
        let url = health.url_of(host);
        let error = url::Url::parse(&url).err()?;
        let message = format!("`{url}`, where `{}` would be probed, isn't a URL", host.name);
        let place = node.inner("url")?.place(error.to_string());
        Some(Problem::new(message, place).help("check the host's own keys in `[hosts]`"))
    };
    probed.into_iter().find_map(|host| nothing(host).or_else(|| no_url(host)))
}

/// Fills a text with a host's values, with an IPv6 address in brackets; `Err` is the placeholder without a value.
fn filled(text: &str, host: &Host) -> Result<String, String> {
    let bracketed = |text: String| match text.parse::<std::net::Ipv6Addr>() {
        Ok(_) => format!("[{text}]"),
        Err(_) => text,
    };
    placeholder::filled_by(&bare(text), |key| match key {
        "address" => Some(bracketed(host.address().to_owned())),
        key => placeholder::stands_for(key, host).map(bracketed),
    })
}

impl Health {
    /// Returns the URL that a host is probed at.
    pub fn url_of(&self, host: &Host) -> String {
        of(&self.url, host)
    }

    /// Returns the `Host` header of a host's probe, if it differs from the URL's.
    pub fn header_of(&self, host: &Host) -> Option<String> {
        self.host.as_deref().map(|text| of(text, host))
    }

    /// Returns the name that a host's certificate must be for, if it isn't the URL's. The default is that of `host`.
    pub fn server_name_of(&self, host: &Host) -> Option<String> {
        let header = || {
            let header = self.header_of(host)?;
            let name = header.rsplit_once(':').map_or(&*header, |(name, _)| name);
            value::is_name(name).then(|| name.to_owned()).filter(|name| name.parse::<std::net::IpAddr>().is_err())
        };
        self.server_name.as_deref().map(|text| of(text, host)).or_else(header)
    }

    /// Returns whether a good response may have this status.
    pub fn takes(&self, status: u16) -> bool {
        match &*self.status {
            [] => (200..300).contains(&status),
            ranges => ranges.iter().any(|(first, last)| (*first..=*last).contains(&status)),
        }
    }

    /// Returns whether a good response may have this body.
    pub fn has_body(&self, body: &str) -> bool {
        self.body.as_deref().is_none_or(|wanted| body.contains(wanted))
    }
}

/// Fills a text of a fleet that was read, so each placeholder has a value.
fn of(text: &str, host: &Host) -> String {
    filled(text, host).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::fleet::{Health, tests::read_text};

    fn health(keys: &str) -> (Health, crate::host::Host) {
        let fleet = read_text(&format!(
            "[hosts]\nweb07 = {{ address = \"fd00::7\", port = 8081, site = \"shop.example.org\" }}\n[app]\npath = \"/srv/shop\"\n\
             [app.health]\n{keys}\n"
        ));
        (fleet.app.unwrap().health.unwrap(), fleet.hosts[0].clone())
    }

    #[test]
    fn a_url_a_header_and_a_servers_name_are_filled_with_the_hosts_own_values() {
        for (url, wanted) in [
            ("http://{address}:{port}/", "http://[fd00::7]:8081/"),
            ("http://[{address}]:80/", "http://[fd00::7]:80/"),
            ("http://{name}.example.org/{n}", "http://web07.example.org/7"),
            ("https://{site}/", "https://shop.example.org/"),
            ("tcp://{address}:{port}", "tcp://[fd00::7]:8081"),
        ] {
            let (health, host) = health(&format!("url = \"{url}\""));
            assert_eq!(health.url_of(&host), wanted);
        }
        for (keys, header, name) in [
            ("", None, None),
            ("host = \"{site}\"", Some("shop.example.org"), Some("shop.example.org")),
            ("host = \"{site}:8443\"", Some("shop.example.org:8443"), Some("shop.example.org")),
            ("host = \"10.0.0.1\"", Some("10.0.0.1"), None),
            ("host = \"a\"\nserver_name = \"{name}.example.org\"", Some("a"), Some("web07.example.org")),
        ] {
            let (health, host) = health(&format!("url = \"https://{{address}}/\"\n{keys}"));
            let said = (health.header_of(&host), health.server_name_of(&host));
            assert_eq!((said.0.as_deref(), said.1.as_deref()), (header, name), "{keys}");
        }
    }

    #[test]
    fn a_good_answer_has_a_status_and_a_body_that_the_fleet_file_wants() {
        for (status, good, bad) in [
            ("", &[200, 204, 299][..], &[199, 300, 404, 500][..]),
            ("status = 204", &[204], &[200, 205]),
            ("status = \"200..399\"", &[200, 302, 399], &[199, 400]),
            ("status = [200, \"401..403\"]", &[200, 401, 403], &[201, 404]),
        ] {
            let (health, _) = health(&format!("url = \"http://{{address}}/\"\n{status}"));
            assert!(good.iter().all(|status| health.takes(*status)), "{status}");
            assert!(!bad.iter().any(|status| health.takes(*status)), "{status}");
        }
        let (health, _) = health("url = \"http://{address}/\"\nbody = \"all well\"");
        assert!(health.has_body("<p>all well</p>") && !health.has_body("All Well"));
    }
}
