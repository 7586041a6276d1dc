//! What one login needs, out of ssh's options; what this client can't honor makes it decline.
use super::{
    algorithms::{self, list},
    allowed_keys::AllowedKeys,
    names::Tokens,
};
use crate::ssh::connection::Hop;
use russh::{Limits, Preferred};
use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a server may take to answer and to greet, if the configuration doesn't say.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Options whose other values this client can't honor: each with those that mean nothing, by ssh_config(5). An option
/// that isn't there has its default.
const ONLY: [(&str, &[&str]); 8] = [
    ("proxycommand", &["none"]),
    ("canonicalizehostname", &["false", "no", "none"]),
    ("compression", &["no"]),
    ("bindaddress", &[]),
    ("bindinterface", &[]),
    ("knownhostscommand", &["none"]),
    ("refuseconnection", &[]),
    ("pubkeyauthentication", &["true", "yes", "unbound", "host-bound"]),
];

/// Other ways to log in, which OpenSSH gets to try if no key was accepted: each with the value that turns it off.
const OTHER_LOGINS: [(&str, &str, &str); 3] = [
    ("gssapiauthentication", "no", "GSSAPIAuthentication"),
    ("hostbasedauthentication", "no", "HostbasedAuthentication"),
    ("pkcs11provider", "none", "PKCS11Provider"),
];

/// Options that this client obeys, or that rfab's own configuration sets.
const OBEYED: &str = "host hostname user port addressfamily batchmode connecttimeout connectionattempts \
    serveraliveinterval serveralivecountmax identityfile certificatefile identityagent identitiesonly \
    hostkeyalias ciphers macs kexalgorithms hostkeyalgorithms casignaturealgorithms pubkeyacceptedalgorithms pubkeyacceptedkeytypes \
    requiredrsasize rekeylimit revokedhostkeys userknownhostsfile globalknownhostsfile proxyjump preferredauthentications \
    stricthostkeychecking nohostauthenticationforlocalhost verifyhostkeydns checkhostip updatehostkeys \
    forwardagent forwardx11 forwardx11trusted tunnel permitlocalcommand localcommand remotecommand \
    clearallforwardings controlmaster controlpath controlpersist exitonforwardfailure requesttty gatewayports \
    loglevel sessiontype forkafterauthentication stdinnull setenv sendenv";

/// Options that decide nothing about a login or a command of rfab's: what people see, what isn't used, what ssh does
/// for other ways to log in.
const IDLE: &str = "canonicalizefallbacklocal canonicalizemaxdots canonicaldomains canonicalizepermittedcnames \
    enablesshkeysign fingerprinthash forwardx11timeout gssapikeyexchange gssapidelegatecredentials gssapitrustdns \
    gssapirenewalforcesrekey gssapikexalgorithms gssapiclientidentity gssapiserveridentity hashknownhosts \
    kbdinteractiveauthentication challengeresponseauthentication kbdinteractivedevices passwordauthentication \
    numberofpasswordprompts proxyusefdpass streamlocalbindunlink streamlocalbindmask tcpkeepalive tunneldevice \
    visualhostkey enableescapecommandline escapechar logverbose syslogfacility xauthlocation permitremoteopen \
    addkeystoagent ipqos hostbasedacceptedalgorithms hostbasedkeytypes securitykeyprovider localforward \
    remoteforward dynamicforward ignoreunknown obscurekeystroketiming channeltimeout tag warnweakcrypto \
    versionaddendum useroaming";

/// What one login needs.
#[derive(Debug)]
pub(super) struct LoginSettings {
    pub hostname: String,
    pub port: u16,
    pub user: String,
    /// Whether only addresses of IPv4, or only those of IPv6, are tried.
    pub only_ipv4: Option<bool>,
    pub connect_within: Duration,
    pub alive_every: Option<Duration>,
    pub alive_most: usize,
    /// Private keys, or public ones of which the agent has the other half.
    pub identities: Vec<PathBuf>,
    pub certificates: Vec<PathBuf>,
    pub agent: Option<PathBuf>,
    /// Whether the agent's other keys aren't tried.
    pub identities_only: bool,
    /// The names of the kinds of keys to log in with.
    pub accepted: Vec<String>,
    pub least_rsa_bits: u32,
    pub preferred: Preferred,
    /// When new keys are agreed on.
    pub limits: Limits,
    pub host_keys: AllowedKeys,
    /// Other ways to log in, which this client doesn't have.
    pub other_logins: Vec<&'static str>,
}

impl LoginSettings {
    /// Reads the options of a hop; fails with the reason if this client can't honor one of them.
    pub(super) fn of(hop: &Hop, home: &Path) -> Result<Self, String> {
        let options = &hop.options;
        declined(hop)?;
        let number = |option: &str, default: u64| match options.value(option) {
            None | Some("none") => Ok(default),
            Some(text) => text.parse().map_err(|_| format!("its `{option} {text}` isn't a number")),
        };
        let text = |option: &str| options.value(option).unwrap_or_default().to_owned();
        let (hostname, user) = (text("hostname"), text("user"));
        let port = u16::try_from(number("port", 22)?).map_err(|_| "its port isn't one".to_owned())?;
        let tokens = Tokens { home, host: &text("host"), hostname: &hostname, port, user: &user };
        let paths = |option: &str| {
            let named = options.all().filter(|(name, value)| *name == option && *value != "none");
            named.map(|(_, value)| tokens.path(value)).collect::<Result<Vec<_>, _>>()
        };
        let seconds = |seconds: u64| (seconds > 0).then(|| Duration::from_secs(seconds));
        Ok(Self {
            only_ipv4: match options.value("addressfamily") {
                Some("inet") => Some(true),
                Some("inet6") => Some(false),
                _ => None,
            },
            connect_within: seconds(number("connecttimeout", 0)?).unwrap_or(CONNECT_WITHIN),
            alive_every: seconds(number("serveraliveinterval", 0)?),
            alive_most: number("serveralivecountmax", 3)? as usize,
            identities: paths("identityfile")?,
            certificates: paths("certificatefile")?,
            agent: agent(options.value("identityagent"), &tokens)?,
            identities_only: options.value("identitiesonly") == Some("yes"),
            // OpenSSH before 8.5 has the second name.
            accepted: ["pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes"].map(|name| list(options, name)).concat(),
            least_rsa_bits: number("requiredrsasize", 1024)? as u32,
            preferred: algorithms::named(options)?,
            limits: limits(options.value("rekeylimit"))?,
            host_keys: AllowedKeys { revoked_in: paths("revokedhostkeys")?, ..algorithms::host_keys(options) },
            other_logins: other_logins(hop),
            hostname,
            port,
            user,
        })
    }
}

/// Fails with the reason if an option means what this client can't do, or what nobody here knows.
fn declined(hop: &Hop) -> Result<(), String> {
    for (option, value) in hop.options.all() {
        let value = value.trim();
        match ONLY.iter().find(|(name, _)| *name == option) {
            Some((_, idle)) if idle.contains(&value) => {}
            Some(_) => return Err(format!("its ssh configuration has `{option} {value}`")),
            None => {
                let is_known = [OBEYED, IDLE].iter().any(|names| names.split_whitespace().any(|name| name == option))
                    || OTHER_LOGINS.iter().any(|(name, ..)| *name == option);
                if !is_known && !option.eq_ignore_ascii_case("canonicalizePermittedcnames") {
                    return Err(format!("rfab doesn't know `{option}` in its ssh configuration"));
                }
            }
        }
    }
    for option in ["userknownhostsfile", "globalknownhostsfile"] {
        // A key may be revoked in a file that isn't found.
        let names = hop.options.value(option).unwrap_or_default();
        let is_plain = |name: &str| !name.starts_with('~') || name.starts_with("~/");
        if names.contains(['%', '$']) || !names.split(' ').all(is_plain) {
            return Err(format!("rfab doesn't know a token in `{option} {names}`"));
        }
    }
    match hop.options.value("preferredauthentications") {
        Some(ways) if !ways.split(',').any(|way| way == "publickey") => {
            Err(format!("its ssh configuration has `PreferredAuthentications {ways}`"))
        }
        _ => Ok(()),
    }
}

/// Returns when new keys are agreed on: after so many bytes, and after so many seconds, each as `ssh -G` prints it.
///
/// 0 stands for the cipher's own limit, and for no limit of time; this client has lower ones.
fn limits(printed: Option<&str>) -> Result<Limits, String> {
    let own = Limits::default();
    let Some(printed) = printed else { return Ok(own) };
    let numbers =
        printed.split_once(' ').and_then(|(bytes, seconds)| Some((bytes.parse().ok()?, seconds.parse().ok()?)));
    let (bytes, seconds): (usize, u64) =
        numbers.ok_or_else(|| format!("its `rekeylimit {printed}` isn't two numbers"))?;
    let bytes = if bytes == 0 { own.rekey_write_limit } else { bytes.min(own.rekey_write_limit) };
    let time = if seconds == 0 { own.rekey_time_limit } else { Duration::from_secs(seconds) };
    Ok(Limits::new(bytes, bytes, time))
}

fn other_logins(hop: &Hop) -> Vec<&'static str> {
    let is_on = |(option, off, _): &&(&str, &str, &str)| hop.options.value(option).is_some_and(|value| value != *off);
    OTHER_LOGINS.iter().filter(is_on).map(|(_, _, name)| *name).collect()
}

/// Returns the socket of the agent: the environment's, unless the configuration names another or none.
fn agent(named: Option<&str>, tokens: &Tokens<'_>) -> Result<Option<PathBuf>, String> {
    let variable = |name: &str| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    match named {
        None | Some("SSH_AUTH_SOCK") => Ok(variable("SSH_AUTH_SOCK")),
        Some("none") => Ok(None),
        Some(name) => match name.strip_prefix('$').filter(|rest| !rest.starts_with('{')) {
            Some(name) => Ok(variable(name)),
            None => tokens.path(name).map(Some),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::connection::SshOptions;

    const PLAIN: &str = "hostname web1\nuser deploy\nport 22\nkexalgorithms curve25519-sha256\nciphers aes128-ctr\n\
                         macs hmac-sha2-256\nidentityagent none\n";

    fn read(more: &str) -> Result<LoginSettings, String> {
        let options = SshOptions::of(&format!("{PLAIN}{more}\n"));
        LoginSettings::of(&Hop { options, ..Hop::default() }, Path::new("/home/anna"))
    }

    #[test]
    fn what_this_client_cannot_honor_makes_it_decline_and_says_so() {
        for (more, why) in [
            ("proxycommand nc %h %p", "its ssh configuration has `proxycommand nc %h %p`"),
            ("compression yes", "its ssh configuration has `compression yes`"),
            ("rekeylimit often", "its `rekeylimit often` isn't two numbers"),
            ("pubkeyauthentication false", "its ssh configuration has `pubkeyauthentication false`"),
            ("preferredauthentications password", "its ssh configuration has `PreferredAuthentications password`"),
            ("fromthefuture yes", "rfab doesn't know `fromthefuture` in its ssh configuration"),
            ("identityfile ~bert/id", "rfab doesn't know the home folder in `~bert/id`"),
            ("userknownhostsfile ~/a ~bert/b", "rfab doesn't know a token in `userknownhostsfile ~/a ~bert/b`"),
            ("globalknownhostsfile /a %d/b", "rfab doesn't know a token in `globalknownhostsfile /a %d/b`"),
            ("identityfile %C", "rfab doesn't know a token in `%C`"),
            ("connecttimeout soon", "its `connecttimeout soon` isn't a number"),
        ] {
            assert_eq!(read(more).unwrap_err(), why);
        }
    }

    #[test]
    fn options_are_read_as_ssh_prints_them() {
        let read = read(
            "identityfile ~/.ssh/a\nidentityfile %d/b\ncertificatefile /c\nconnecttimeout 7\nserveraliveinterval 5\n\
             gssapiauthentication yes\npkcs11provider none\naddressfamily inet",
        )
        .unwrap();
        assert_eq!(read.identities, [Path::new("/home/anna/.ssh/a"), Path::new("/home/anna/b")]);
        assert_eq!(read.certificates, [Path::new("/c")]);
        assert_eq!((read.connect_within.as_secs(), read.alive_every.unwrap().as_secs()), (7, 5));
        assert_eq!((read.other_logins, read.only_ipv4), (vec!["GSSAPIAuthentication"], Some(true)));
        for (line, bytes, seconds) in [
            ("revokedhostkeys none", 1 << 30, 3600),
            ("rekeylimit 0 0", 1 << 30, 3600),
            ("rekeylimit 1048576 60", 1 << 20, 60),
            ("rekeylimit 4294967296 0", 1 << 30, 3600),
        ] {
            let read = super::LoginSettings::of(
                &Hop { options: SshOptions::of(&format!("{PLAIN}{line}\n")), ..Hop::default() },
                Path::new("/home/anna"),
            );
            let limits = read.unwrap().limits;
            assert_eq!((limits.rekey_read_limit, limits.rekey_time_limit.as_secs()), (bytes, seconds), "{line}");
        }
    }
}
