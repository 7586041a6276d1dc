//! The `[gate]` of a fleet or of an app: what a forge must know of a commit before it's deployed.
use super::{ForgeKind, Gate, TokenSource, schema, section::Section, tree::Node, value, wrong::Problem};
use std::{net::IpAddr, time::Duration};

const KEYS: [&str; 10] = schema::names(&schema::GATE);

/// How long a deploy waits for the forge by default.
const WITHIN: Duration = Duration::from_secs(30 * 60);

/// Reads the gate of a fleet: that of its only app, or else its own.
pub(super) fn whole(tree: &Node, problems: &mut Vec<Problem>) -> Option<Gate> {
    let of_app = tree.inner("app").and_then(|app| app.inner("gate")).and_then(|node| read(node, problems));
    let own = tree.inner("gate").and_then(|node| read(node, problems));
    of_app.or(own)
}

/// Reads what a fleet or an app demands of a commit.
pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Option<Gate> {
    let section = Section::of(node, &KEYS, problems)?;
    let words = [("github", ForgeKind::Github), ("gitlab", ForgeKind::Gitlab), ("gitea", ForgeKind::Gitea)];
    let forge = section.need("forge", problems, |node| value::one_of(node, &words));
    let project = section.need("project", problems, |node| project(node, forge));
    let url = section.get("url", problems, url).or_else(|| forge.and_then(root).map(str::to_owned));
    if section.find("url").is_none() && forge == Some(ForgeKind::Gitea) {
        problems.push(section.lacks("url").help("write where its API is, such as `https://gitea.example.org/api/v1`"));
    }
    let token = section.need("token", problems, token);
    let branch = section.need("branch", problems, branch);
    let checks = section.get("checks", problems, value::yes).unwrap_or(true);
    let reviews = section.get("reviews", problems, |node| value::whole(node, 1)).unwrap_or(0);
    let pulls = section.get("pulls", problems, value::yes).unwrap_or(false);
    if !checks && !pulls && section.find("reviews").is_none() {
        let problem = Problem::new("the gate requires nothing", node.place("neither checks nor reviews"));
        let help = "write `reviews = 1`, or leave `checks` out; if you want no gate, leave";
        problems.push(problem.help(format!("{help} `[{}]` out", node.path)));
    }
    let within = section.get("within", problems, value::wait).unwrap_or(WITHIN);
    let environment = section.get("environment", problems, |node| value::text(node).map(str::to_owned));
    let (forge, project, url, token, branch) = (forge?, project?, url?, token?, branch?);
    Some(Gate { forge, project, url, token, branch, checks, reviews, pulls, within, environment })
}

/// Returns the root of a forge's public API.
fn root(forge: ForgeKind) -> Option<&'static str> {
    match forge {
        ForgeKind::Github => Some("https://api.github.com"),
        ForgeKind::Gitlab => Some("https://gitlab.com/api/v4"),
        ForgeKind::Gitea => None,
    }
}

/// Reads the path of a project, such as `owner/name`. Only GitLab has groups in groups.
fn project(node: &Node, forge: Option<ForgeKind>) -> Result<String, Problem> {
    let text = value::text(node)?;
    let plain = |part: &str| {
        let letters = part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        letters && !matches!(part, "" | "." | "..")
    };
    let parts = text.split('/').count();
    let fits = parts == 2 || (parts > 2 && forge == Some(ForgeKind::Gitlab));
    if fits && text.split('/').all(plain) {
        Ok(text.to_owned())
    } else {
        Err(Problem::new(format!("`{text}` isn't a project"), node.place("not a project"))
            .help("write its owner and its name, such as `shop/website`"))
    }
}

/// Reads the root of an API. It must be `https`, because the token goes there; only this machine may use `http`.
fn url(node: &Node) -> Result<String, Problem> {
    let text = value::text(node)?;
    let wrong = |why: &str| {
        Err(Problem::new(format!("`{text}` isn't the root of an API"), node.place(why))
            .help("write it as `https://git.example.org/api/v4`"))
    };
    let Ok(url) = url::Url::parse(text) else { return wrong("not a URL") };
    let host = url.host_str().unwrap_or_default();
    let own =
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_loopback());
    match () {
        // Neither the text nor its line is shown, so that no log holds the password.
        () if !url.username().is_empty() || url.password().is_some() => {
            let problem = Problem::bare(format!("{} has a user or a password in it", key_of(node)));
            Err(problem.help("write in `token` where the token is kept"))
        }
        () if url.scheme() != "https" && !(url.scheme() == "http" && own) => {
            wrong("not https: others could read the token")
        }
        () if url.query().is_some() || url.fragment().is_some() => wrong("nothing can follow the path"),
        () => Ok(text.trim_end_matches('/').to_owned()),
    }
}

/// Reads where the token is kept. The token itself has no place in a fleet file.
fn token(node: &Node) -> Result<TokenSource, Problem> {
    let text = value::text(node)?;
    let source = match text.split_once(':') {
        Some(("env", name)) if !name.is_empty() && crate::command::is_variable(name) => {
            Some(TokenSource::Env(name.to_owned()))
        }
        Some(("file", path)) if !path.is_empty() => Some(TokenSource::File(path.to_owned())),
        Some(("command", words)) if !words.trim().is_empty() => Some(TokenSource::Command(words.to_owned())),
        _ => None,
    };
    // A token that was written here by mistake isn't shown, nor is its line.
    source.ok_or_else(|| {
        Problem::bare(format!("{} doesn't say where the token is kept", key_of(node))).help(
            "write `env:NAME` for a variable, `file:PATH` for a file beside the fabfile, or `command:WORDS` for a program that prints it",
        )
    })
}

/// Names a key with its table, for a problem that doesn't show the line.
fn key_of(node: &Node) -> String {
    let (table, key) = node.path.rsplit_once('.').unwrap_or(("gate", &node.path));
    format!("`{key}` of `[{table}]`")
}

/// Reads the name of a branch; a `*` at its end stands for the rest of it.
fn branch(node: &Node) -> Result<String, Problem> {
    let whole = value::text(node)?;
    let text = whole.strip_suffix("/*").map_or(whole, |_| &whole[..whole.len() - 2]);
    let wrong = |c: char| c.is_whitespace() || "~^:?*[\\".contains(c);
    if text.starts_with(['-', '/']) || text.ends_with('/') || text.contains("..") || text.contains(wrong) {
        return Err(Problem::new(format!("`{whole}` isn't a branch"), node.place("not a branch"))
            .help("write its name alone, such as `main`, or all branches below a name, such as `release/*`"));
    }
    Ok(whole.to_owned())
}
