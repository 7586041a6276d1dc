//! The ports under `examples/ports`: in the simulator, each does on every host what its original does on real hosts,
//! and it isn't much longer.

use crate::project::{Project, notes};
use rfab::{
    event::{EffectKind, Event, EventKind},
    failure::Exit,
    model::{Fact, Machine, Model, ModelOutput},
    simulate::{Scenario, Simulation},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Each port, with its original's license and number of lines, without comments and empty lines.
const PORTS: [(&str, usize, &str); 5] = [
    ("avirontours", 67, "Apache License 2.0"),
    ("huginn", 43, "MIT license"),
    ("mapit", 37, "MIT license"),
    ("ruby-china", 74, "MIT license"),
    ("wagtail-torchbox", 24, "MIT license"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ports")
}

/// Returns the files of a port, as paths below its folder.
fn files(port: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, top: &Path, all: &mut Vec<(String, String)>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                walk(&path, top, all);
            } else {
                let name = path.strip_prefix(top).unwrap().to_string_lossy().into_owned();
                all.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let (top, mut all) = (folder().join(port), Vec::new());
    walk(&top, &top, &mut all);
    all
}

/// Makes a repository of a port, with the branch that it deploys by default.
fn open(port: &str) -> Project {
    let empty = Project(tempfile::tempdir().unwrap());
    let project = files(port).into_iter().fold(empty, |project, (name, text)| project.with(&name, &text)).tagged();
    project.git(&["branch", "master"]);
    project.git(&["branch", "develop"]);
    project.load().and_then(|loaded| loaded.check()).unwrap_or_else(|wrong| panic!("{port}: {wrong:?}"));
    project
}

#[track_caller]
fn run(project: &Project, words: &str, model: Model) -> Simulation {
    let ran = project.run_on(words, model, Scenario { seed: 1, ..Scenario::default() });
    assert_eq!(ran.ended.exit, Exit::Done, "{words}: {:#?}", ran.ended.failures);
    assert_eq!(ran.model.harmed, [""; 0], "{words}");
    ran
}

/// Returns what a run changed, line by line, each after its host; COMMIT stands for the commit of a release.
fn changes(project: &Project, events: &[Event]) -> String {
    let commit = project.git(&["rev-parse", "master"]);
    let line = |event: &Event| match &event.what {
        EventKind::EffectFinished { kind: EffectKind::Change | EffectKind::Once, host: Some(host), text, .. } => {
            Some(format!("{host}: {}\n", text.replace(&commit[..12], "COMMIT")))
        }
        _ => None,
    };
    events.iter().filter_map(line).collect()
}

/// Runs a line in a fresh world, and compares all its changes.
#[track_caller]
fn changed(port: &str, words: &str, expected: &str) {
    let project = open(port);
    assert_eq!(changes(&project, &run(&project, words, Model::new()).events), expected);
}

/// Sets what commands print on a host from now on.
fn says(model: &mut Model, host: &str, answers: &[(&str, i32, &str)]) {
    let machine: &mut Machine = model.machines.iter_mut().find(|((_, name), _)| &**name == host).unwrap().1;
    let said = |(command, status, out): &(&str, i32, &str)| {
        (command.to_string(), ModelOutput { status: *status, out: out.to_string(), ..ModelOutput::default() })
    };
    machine.says.tell(answers.iter().map(said).collect());
}

#[test]
fn every_port_names_its_source_and_is_at_most_a_fifth_longer_than_it() {
    let there: BTreeSet<String> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there, PORTS.map(|(name, ..)| name.to_owned()).into());
    for (name, original, license) in PORTS {
        let files = files(name);
        let counted = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//") && !line.starts_with('#');
        let lines: usize = files.iter().map(|(_, text)| text.lines().filter(counted).count()).sum();
        assert!(lines * 10 <= original * 12, "{name} has {lines} lines, and its original {original}");
        let (_, fabfile) = files.iter().find(|(file, _)| file == "fabfile.rhai").unwrap();
        let head: String = fabfile.lines().map_while(|line| line.strip_prefix("//!")).collect();
        for part in ["<https://github.com/", "> at ", license, "copyright "] {
            assert!(head.contains(part), "{name} doesn't say `{part}`");
        }
    }
}

const WAGTAIL: &str = "\
by-web-2.torchbox.com: run `git pull` in /usr/local/django/tbxwagtail
by-web-2.torchbox.com: run `git submodule update` in /usr/local/django/tbxwagtail
by-web-2.torchbox.com: run `BIN/pip install -r requirements/production.txt` in /usr/local/django/tbxwagtail
by-web-2.torchbox.com: run `BIN/python manage.py syncdb --noinput SETTINGS` in /usr/local/django/tbxwagtail
by-web-2.torchbox.com: run `BIN/python manage.py migrate --noinput SETTINGS` in /usr/local/django/tbxwagtail
by-web-2.torchbox.com: run `BIN/python manage.py collectstatic --noinput SETTINGS` in /usr/local/django/tbxwagtail
by-web-2.torchbox.com: run `BIN/python manage.py compress SETTINGS` in /usr/local/django/tbxwagtail
by-web-2.torchbox.com: run `supervisorctl restart tbxwagtail` as root
";

#[test]
fn wagtail_torchbox_is_pulled_built_and_restarted_in_place() {
    let expected = WAGTAIL.replace("BIN", "/usr/local/django/virtualenvs/tbxwagtail/bin");
    changed("wagtail-torchbox", "deploy", &expected.replace("SETTINGS", "--settings=tbx.settings.production"));
}

const UPDATED: &str = "\
mapit-2.api: run `govuk_puppet --test --disable 'Updating the database; services are stopped (by anna)'` as root
mapit-2.api: run `nginx -s quit` as root
mapit-2.api: run `service mapit stop` as root
mapit-2.api: run `service collectd stop` as root
mapit-2.api: run `service memcached restart` as root
mapit-2.api: run `govuk_setenv mapit ./import-db-from-s3.sh` in /var/apps/mapit
mapit-2.api: run `service collectd start` as root
mapit-2.api: run `service mapit start` as root
mapit-2.api: run `service nginx start` as root
mapit-2.api: run `govuk_puppet --test --enable` as root
";

#[test]
fn mapit_gets_its_database_between_services_that_stop_and_start_again() {
    let project = open("mapit");
    let mut model = run(&project, "mapit:mapit-2.api", Model::new()).model;
    says(&mut model, "mapit-2.api", &[("id -un", 0, "anna\n"), ("pgrep nginx", 1, "")]);
    let ran = run(&project, "mapit:mapit-2.api update_database_via_app", model);
    assert_eq!(changes(&project, &ran.events), UPDATED);
}

#[test]
fn mapit_is_not_updated_while_nginx_still_answers_and_never_on_two_machines_at_once() {
    let project = open("mapit");
    let model = run(&project, "mapit:mapit-2.api", Model::new()).model;
    let line = "mapit:mapit-2.api update_database_via_app";
    let waited = project.run_on(line, model, Scenario { seed: 1, ..Scenario::default() });
    let why = "the condition didn't become true within 600 s";
    assert_eq!((waited.ended.exit, &*waited.ended.failures[0].message), (Exit::Failed, why));
    let done = changes(&project, &waited.events);
    assert!(done.ends_with("run `nginx -s quit` as root\n"), "{done}");

    let (exit, failure) = project.fails("mapit:all update_database_via_app");
    assert_eq!((exit, &*failure.message), (Exit::Refused, "this is for one MapIt machine at a time"));
}

const ASKED: &str = r#"mapit-2.api: run `awk -v s="$s" '$9 == s { print "http://localhost:3108" $7 }' "$log" | sort -u > "mapit-${s}s"` as root
"#;

const COUNTED: [&str; 6] = [
    "mapit-2.api: What answered 200. All should be 200 still; a few 404 in /area/ may be ids that changed.",
    "mapit-2.api: 7 HTTP/1.1",
    "mapit-2.api: What answered 404. All should be 200 or 404.",
    "mapit-2.api: 7 HTTP/1.1",
    "mapit-2.api: What answered 302. All should be 302 still: /area/CODE leads to /area/ID.",
    "mapit-2.api: 7 HTTP/1.1",
];

#[test]
fn mapit_is_asked_again_what_it_was_asked_yesterday_and_the_answers_are_counted() {
    let project = open("mapit");
    let mut model = run(&project, "mapit:mapit-2.api", Model::new()).model;
    let ask = r#"while read -r url; do curl -sI "$url" | grep HTTP/1; done < "mapit-${s}s" | sort | uniq -c"#;
    says(&mut model, "mapit-2.api", &[(ask, 0, "7 HTTP/1.1\n")]);
    let ran = run(&project, "mapit:mapit-2.api check_database_upgrade", model);
    let removed = "mapit-2.api: run `rm mapit-200s mapit-404s mapit-302s` as root\n";
    assert_eq!(changes(&project, &ran.events), ASKED.repeat(3) + removed);
    assert_eq!(notes(&ran), COUNTED);
}

const FORUM: &str = "\
s2.ruby-china.org: make the folders of /data/www/ruby-china
s2.ruby-china.org: stage v3.0.1 (0002-COMMIT)
s2.ruby-china.org: run `RUBY bundle install --deployment --quiet --without development test` in NEW
s2.ruby-china.org: run `RUBY bundle exec rake assets:precompile` in NEW
s2.ruby-china.org: run `RUBY bundle exec rake assets:cdn` in NEW
s2.ruby-china.org: run `RUBY bundle exec rake db:migrate` in NEW
s2.ruby-china.org: activate v3.0.1 (0002-COMMIT)
s2.ruby-china.org: restart unicorn
s2.ruby-china.org: run `RUBY bundle exec sidekiqctl stop PIDS/sidekiq.pid 10` in /data/www/ruby-china/current
s2.ruby-china.org: run `RUBY bundle exec sidekiq -d -C config/sidekiq.yml -P PIDS/sidekiq.pid -L log/sidekiq.log` in /data/www/ruby-china/current
s2.ruby-china.org: keep the newest 5 releases
";

const COPY: &str = "\
s2.ruby-china.org: run `RUBY thin start -C thin.yml` in /data/www/ruby-china-pre/current/faye_server
s2.ruby-china.org: run `RUBY thin restart -C thin.yml` in /data/www/ruby-china-pre/current/faye_server
s2.ruby-china.org: run `RUBY thin stop -C thin.yml` in /data/www/ruby-china-pre/current/faye_server
s2.ruby-china.org: stop unicorn
s2.ruby-china.org: run `RUBY bundle exec unicorn_rails -c config/unicorn.rb -D` in /data/www/ruby-china-pre/current
s2.ruby-china.org: restart unicorn
s2.ruby-china.org: run `RUBY bundle exec rake db:mongoid:create_indexes` in /data/www/ruby-china-pre/current
";

#[test]
fn ruby_china_is_deployed_and_its_copy_is_started_stopped_and_indexed() {
    let ruby = |text: &str| {
        let text = text.replace("RUBY", "/home/ruby/.rvm/bin/rvm ruby-2.0.0-p0 do").replace("PIDS", "tmp/pids");
        text.replace("NEW", "/data/www/ruby-china/releases/0002-COMMIT")
    };
    changed("ruby-china", "setup deploy", &ruby(FORUM));
    let tasks = "faye.start faye.restart faye.stop deploy.stop deploy.start deploy.restart mongoid_create_indexes";
    changed("ruby-china", &format!("pre {tasks}"), &ruby(COPY));
}

const HUGINN: &str = "\
huginn.example.org: make the folders of /home/huginn
huginn.example.org: run `cp huginn/.env shared/.env` in /home/huginn
huginn.example.org: run `cp huginn/config/unicorn.rb shared/config/unicorn.rb` in /home/huginn
huginn.example.org: run `mv huginn huginn.manual` in /home/huginn
huginn.example.org: run `ln -s current huginn` in /home/huginn
huginn.example.org: stage v3.0.1 (0002-COMMIT)
huginn.example.org: run `bundle install --jobs 4 --deployment --quiet --without development test` in /home/huginn/releases/0002-COMMIT
huginn.example.org: run `bundle exec rake assets:precompile` in /home/huginn/releases/0002-COMMIT
huginn.example.org: run `bundle exec rake db:migrate` in /home/huginn/releases/0002-COMMIT
huginn.example.org: activate v3.0.1 (0002-COMMIT)
huginn.example.org: restart huginn-web-1
huginn.example.org: restart huginn-jobs-1
huginn.example.org: keep the newest 5 releases
";

/// First on a machine where a person installed it by hand, and then again, when neither that nor a migration is left to
/// do.
#[test]
fn huginn_takes_over_from_what_was_installed_by_hand_and_migrates_only_if_migrations_differ() {
    let project = open("huginn");
    let mut model = run(&project, "production", Model::new()).model;
    let differ = "diff -qr db/migrate ../../current/db/migrate";
    says(&mut model, "huginn.example.org", &[("test -L huginn", 1, ""), (differ, 1, "")]);
    let machine = model.machines.values_mut().next().unwrap();
    for there in ["huginn", "huginn/.env", "huginn/Procfile", "huginn/config/unicorn.rb", "shared/Procfile"] {
        machine.files.insert(format!("/home/huginn/{there}"), Fact::Told(Some(Vec::new())));
    }
    let mut first = run(&project, "deploy", model);
    assert_eq!(changes(&project, &first.events), HUGINN);

    says(&mut first.model, "huginn.example.org", &[]);
    project.git(&["commit", "-q", "--allow-empty", "-m", "three"]);
    project.git(&["branch", "-f", "master"]);
    let second = changes(&project, &run(&project, "deploy", first.model).events);
    let left = HUGINN.lines().filter(|line| !line.ends_with(" in /home/huginn") && !line.contains("db:migrate"));
    let left: String = left.map(|line| format!("{line}\n")).collect();
    assert_eq!(second, left.replace("v3.0.1 (", "master (").replace("0002", "0003"));
}

const ROWING: &str = "\
rhea.avirontours.fr: make the folders of /var/www/avirontours
rhea.avirontours.fr: stage v3.0.1 (0002-COMMIT)
rhea.avirontours.fr: run `setfacl -R -m u:www-data:rwX -m u:deploy:rwX var` in NEW
rhea.avirontours.fr: run `setfacl -dR -m u:www-data:rwX -m u:deploy:rwX var` in NEW
rhea.avirontours.fr: run `composer install --verbose --prefer-dist --no-progress --no-interaction --no-dev --optimize-autoloader` in NEW
rhea.avirontours.fr: run `cp -R ../../current/node_modules .` in NEW
rhea.avirontours.fr: run `yarn install` in NEW
rhea.avirontours.fr: run `yarn build` in NEW
rhea.avirontours.fr: run `php bin/console secrets:decrypt-to-local --force --env=prod` in NEW
rhea.avirontours.fr: run `composer dump-env prod` in NEW
rhea.avirontours.fr: run `rm .env .env.prod .env.test .env.prod.local` in NEW
rhea.avirontours.fr: run `php bin/console doctrine:migration:migrate -n` in NEW
rhea.avirontours.fr: activate v3.0.1 (0002-COMMIT)
rhea.avirontours.fr: restart php8.1-fpm
rhea.avirontours.fr: run `php bin/console messenger:stop-workers` in /var/www/avirontours/current
rhea.avirontours.fr: keep the newest 5 releases
";

#[test]
fn avirontours_is_built_migrated_and_switched_and_its_workers_are_told_to_end() {
    changed("avirontours", "setup deploy", &ROWING.replace("NEW", "/var/www/avirontours/releases/0002-COMMIT"));
}
