use super::*;

/// A wrong fleet and its report.
struct Case<'t> {
    title: &'t str,
    sets: Vec<Set>,
    json: bool,
    text: &'t str,
    /// The output of its `hosts_from`.
    printed: Option<&'t str>,
    report: &'t str,
}

fn cases(file: &str) -> Vec<Case<'_>> {
    let case = |text| {
        let (title, rest): (&str, &str) = str::split_once(text, '\n').unwrap();
        let (fleet, report) = rest.split_once("--- report\n").unwrap();
        let (head, text) = fleet.split_once('\n').unwrap();
        let (text, printed) = match text.split_once("--- printed\n") {
            Some((text, printed)) => (text, Some(printed)),
            None => (text, None),
        };
        let mut words = head.split(" --set ");
        let json = words.next() == Some("--- map");
        Case { title, sets: words.map(|set| set.parse().unwrap()).collect(), json, text, printed, report }
    };
    file.split("=== ").skip(1).map(case).collect()
}

/// Set `RFAB_WRITE_REPORTS` to write the reports again, and read the difference.
#[test]
fn every_wrong_fleet_is_refused_with_its_report() {
    let file = include_str!("../reports.txt");
    let mut written = String::new();
    let mut count = 0;
    for case in cases(file) {
        count += 1;
        let written_down = if case.json {
            let map = serde_json::from_str(case.text).unwrap();
            WrittenFleet::in_map("prod", &map, folders().project, &case.sets)
        } else {
            WrittenFleet::in_text("fleets/prod.toml", "prod", case.text, folders(), &case.sets)
        };
        let whole = match case.printed {
            Some(printed) => written_down.and_then(|fleet| fleet.with(printed)),
            None => written_down,
        };
        let read = whole.and_then(|fleet| fleet.fleet());
        let report = match read {
            Ok(_) => panic!("{} isn't refused", case.title),
            Err(wrong) => rendered(&wrong),
        };
        let sets: String = case.sets.iter().map(|set| format!(" --set {set}")).collect();
        let kind = if case.json { "map" } else { "file" };
        let printed = case.printed.map(|text| format!("--- printed\n{text}")).unwrap_or_default();
        written += &format!("=== {}\n--- {kind}{sets}\n{}{printed}--- report\n{report}\n", case.title, case.text);
    }
    assert!(count >= 40, "only {count} cases");
    if std::env::var_os("RFAB_WRITE_REPORTS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/fleet/reports.txt"), &written).unwrap();
    } else {
        for (case, now) in cases(file).into_iter().zip(cases(&written)) {
            assert_eq!(case.report, now.report, "{}\n{}", case.title, now.report);
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("prod.toml"), "[hosts]\nweb1 = {}\n").unwrap();
    std::fs::write(folder.path().join("bad name.toml"), "[hosts]\nweb1 = {}\n").unwrap();
    std::fs::write(folder.path().join("latin1.toml"), b"# \xe9\n").unwrap();
    std::fs::create_dir(folder.path().join("sub.toml")).unwrap();
    std::fs::write(folder.path().join("ssh_config"), "").unwrap();
    std::fs::write(folder.path().join("keyed.toml"), "ssh = \"ssh_config\"\n[hosts]\nweb1 = {}\n").unwrap();
    let report = |file: &str| rendered(&read(file, folder.path(), &[]).unwrap_err());
    assert_eq!(report("prd.toml"), "  × prd.toml: there is no such fleet file\n  help: did you mean `prod.toml`?\n");
    assert_eq!(report("none/x.toml"), "  × none/x.toml: there is no such fleet file\n");
    assert_eq!(report("sub.toml"), "  × sub.toml: the fleet isn't a file\n");
    assert_eq!(report("latin1.toml"), "  × latin1.toml: the fleet can't be read: stream did not contain valid UTF-8\n");
    assert_eq!(
        report("bad name.toml"),
        "  × bad name.toml: `bad name` isn't a fleet's name\n  help: a name consists of letters, digits and `._:-`\n"
    );
    assert_eq!(&*read("prod.toml", folder.path(), &[]).unwrap().name, "prod");
    assert_eq!(read("keyed.toml", folder.path(), &[]).unwrap().ssh.unwrap(), folder.path().join("ssh_config"));
}

#[test]
fn as_a_failure_every_problem_has_its_line() {
    let text = "guarded = 1\n[hosts]\nweb1 = { role = [] }\n";
    let failure = crate::failure::Failure::from(parse("fleets/x.toml", "x", text, folders(), &[]).unwrap_err());
    assert_eq!(failure.reason().exit().code(), 3);
    assert_eq!(failure.message, "fleets/x.toml has 2 mistakes");
    let places: Vec<_> = failure.places.iter().map(|p| (p.line, p.column, p.label.as_str())).collect();
    let role = "`role` would be a variable, but looks like `roles`: write `roles`, or give the variable another name";
    assert_eq!(places, [(1, 11, "expected true or false, found a whole number"), (3, 10, role)]);
    let map = serde_json::json!({ "hosts": { "web1": {} }, "keep": 3 });
    let failure = crate::failure::Failure::from(from_map("x", &map, folders().project, &[]).unwrap_err());
    assert_eq!(failure.message, "fleet `x`: `keep`: unknown key `keep`");
}

#[test]
fn a_port_in_an_address_is_refused_with_the_place_where_it_belongs_and_ipv6_is_none() {
    for hosts in [
        "web1 = { address = \"10.0.0.1:2023\" }",
        "\"10.0.0.1:2023\" = {}",
        "web1 = { roles = [\"web\"] }\n[balancer.lb1]\ndriver = \"haproxy\"\nsocket = \"/s\"\npools = { www = \"web\" }\nhost = \"10.0.0.1:2023\"",
    ] {
        let wrong = parse("fleet.toml", "prod", &format!("[hosts]\n{hosts}\n"), folders(), &[]).unwrap_err();
        let said = rendered(&wrong);
        assert!(said.contains("`10.0.0.1:2023` isn't an address") && said.contains("has a port in it"), "{said}");
    }
    for address in ["::1", "fd00::11", "fd00::2023", "10.0.0.1", "a.example.org"] {
        assert_eq!(read_text(&format!("[hosts]\nweb1 = {{ address = \"{address}\" }}")).hosts[0].address(), address);
    }
}
