//! What `--init` writes for repositories of many kinds: it loads, names every key, and deploys in the simulator.

use crate::made_up;
use crate::made_up::{done, failures, load};
use rfab::{
    cli::listing,
    fabfile::Project,
    failure::Exit,
    fleet::{self, Fleet},
    init, line,
    model::Model,
    simulate::{Scenario, Simulation, simulate},
};
use std::{fs, path::Path, process::Command};

/// The names and texts of files.
type Files<'a> = &'a [(&'a str, &'a str)];

/// A repository with these files and a tag, for which `--init` wrote a fabfile.
struct Repository {
    folder: tempfile::TempDir,
    found: init::FoundProject,
}

impl Repository {
    fn of(files: Files) -> Repository {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("shop");
        for (file, text) in files {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        let found = init::look(&folder);
        let fleets = init::fleets(&found);
        init::write(&folder, &init::files(&found, &fleets)).unwrap();
        Repository { folder: top, found }.tagged()
    }

    fn tagged(self) -> Repository {
        for args in ["init -q", "add .", "commit -qm one", "tag v1.0.0"] {
            let mut git = Command::new("git");
            git.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args.split(' '));
            git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
            assert!(git.current_dir(self.at()).status().unwrap().success(), "git {args}");
        }
        self
    }

    fn at(&self) -> std::path::PathBuf {
        self.folder.path().join("shop")
    }

    fn project(&self) -> Project {
        let project = load(&self.at());
        project.check().unwrap_or_else(|wrong| panic!("{wrong:?}\n{}", self.text("fabfile.rhai")));
        project
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.at().join(file)).unwrap()
    }

    fn fleet(&self, name: &str) -> Fleet {
        let shown = format!("fleets/{name}.toml");
        fleet::read(&shown, &self.at(), &[]).unwrap_or_else(|wrong| panic!("{wrong:?}\n{}", self.text(&shown)))
    }

    fn run(&self, words: &str, model: Model) -> Simulation {
        let project = self.project();
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let line = line::parse(&words, None, &project.tasks).unwrap();
        simulate(&project, &line, model, Scenario { seed: 1, ..Scenario::default() })
    }

    /// Returns the hosts as `name group roles`.
    fn hosts(&self, name: &str) -> Vec<String> {
        let host =
            |h: &rfab::host::Host| format!("{} {} {}", h.name, h.group.as_deref().unwrap_or("-"), h.roles.join("+"));
        self.fleet(name).hosts.iter().map(host).collect()
    }
}

const DEPLOY_RB: &str = r#"
lock "~> 3.18.0"
set :application, "shop"
set :repo_url, "git@example.org:acme/shop.git"
set :deploy_to, "/var/www/#{fetch(:application)}"    # not /srv
# set :keep_releases, 9
append :linked_files, "config/database.yml", 'config/master.key'
append :linked_dirs, "log", "tmp/pids",
  "public/uploads"
set :linked_dirs, fetch(:linked_dirs, []).push('storage', "/etc/x", "a b")
set :keep_releases, 4
set :ssh_user, ENV["USER"]
namespace :deploy do
  after :restart, :clear do
    on roles(:web), in: :groups, limit: 3 do
      execute "rm -rf /"
    end
  end
end
"#;

const PRODUCTION_RB: &str = r#"
server "web1.example.org", user: "deploy", roles: %w{app web}, primary: true
server 'web2.example.org', user: 'deploy', roles: [:app, :web]
server "deploy@web3.example.org:2222", :roles => [:app, :web], my_property: :x
server "db1.example.org", user: "deploy", roles: "db"
# server "old.example.org", roles: %w{app}
server ENV["HOST"], roles: %w{app}
"#;

fn capistrano() -> Repository {
    Repository::of(&[
        ("Capfile", "require 'capistrano/setup'\n"),
        ("config/deploy.rb", DEPLOY_RB),
        ("config/deploy/production.rb", PRODUCTION_RB),
        (
            "config/deploy/staging.rb",
            "set :stage, :staging\nset :deploy_to, '/srv/staging'\nrole :app, %w{ci@stage1 ci@stage2}\n",
        ),
        ("Gemfile", ""),
        ("config/application.rb", ""),
        ("config/routes.rb", "get \"up\" => \"rails/health#show\"\n"),
        ("app/assets/x.css", ""),
        ("Procfile", "web: bin/rails server\nworker: bin/jobs\nrelease: bin/rails db:migrate && echo \"$DONE {x}\"\n"),
    ])
}

#[test]
fn an_empty_repository_gets_a_fabfile_whose_five_commands_and_release_work() {
    let repository = Repository::of(&[]);
    assert_eq!(
        listing::text(&repository.project().tasks),
        "Tasks that name hosts:
  prod [WHICH]          The hosts of prod, or those that `which` selects: out, live, group1, a role, hosts.
  testing1 [WHICH]      The hosts of testing1, or those that `which` selects: a role, hosts.

Tasks:
  deploy REFERENCE      Deploys `reference` (`stable`, a tag, a branch or a commit) to the targets.
  proxy_all [HOSTS]     Puts every healthy host back; `hosts` names those that somebody else took out.
  proxy_flip            Swaps the live group and the one that is out.
  proxy_group1          Makes group1 live and takes group2 out of the balancer.
  proxy_group2          Makes group2 live and takes group1 out of the balancer.
  release REFERENCE     Deploys group by group and ends with every host live; stops at the first failure.
  rollback [REFERENCE]  Rolls the targets back to the release that was good before, or to `reference`.
  setup [HOW]           Makes the app's folders on new hosts; `setup:adopt` takes over what Capistrano, Fabric or another tool deployed.
  status                Shows what each host serves, who deployed it, whether it is live, and which runs aren't done.
"
    );
    let mut model = done(repository.run("prod setup", Model::new()));
    for words in made_up::FIVE.iter().chain(&["prod release:stable", "prod status", "deploy stable", "testing1 status"])
    {
        let ran = repository.run(words, model);
        assert_eq!(ran.ended.exit, Exit::Done, "{words}: {:?}", failures(&ran));
        model = done(ran);
    }
}

#[test]
fn what_capistrano_has_is_taken_over_and_nothing_of_it_is_run() {
    let repository = capistrano();
    assert_eq!(
        repository.hosts("production"),
        [
            "web1.example.org group1 app+web",
            "web2.example.org group2 app+web",
            "web3.example.org group2 app+web",
            "db1.example.org - db"
        ]
    );
    assert_eq!(repository.hosts("staging"), ["stage1 group1 app", "stage2 group2 app"]);
    let production = repository.fleet("production");
    let app = production.app.as_ref().unwrap();
    let linked = ["config/database.yml", "config/master.key", "log", "tmp/pids", "public/uploads", "storage"];
    assert_eq!((&*app.path, app.keep, &app.rules.linked), ("/var/www/shop", 4, &linked.map(str::to_owned).to_vec()));
    assert_eq!((production.guarded, production.deploy_live, production.user.as_deref()), (true, true, Some("deploy")));
    assert_eq!(app.health, None, "db1 doesn't answer, and every host is probed");
    let staging = repository.fleet("staging");
    assert_eq!(staging.app.as_ref().unwrap().health.as_ref().unwrap().url, "http://localhost:3000/up");
    assert_eq!(staging.app.as_ref().unwrap().path, "/srv/staging");
    assert_eq!((staging.guarded, staging.user.as_deref()), (false, Some("ci")));
    assert_eq!(
        repository.found.notes,
        [
            "web3.example.org: port 2222 belongs in an ssh configuration",
            "the host `ENV[\"HOST\"]` is computed in Ruby: add it by hand",
            "settings that rfab doesn't use: `:ssh_user`",
            "its own tasks and hooks: write them as functions of the fabfile: `after restart`"
        ]
    );
    let hooks = repository.text("fabfile.rhai");
    assert!(
        hooks.ends_with(
            r#"private fn hooks() {
    #{
        // In the new release, before the switch.
        prepare: |host| {
            let host = host.env(#{ RAILS_ENV: "production", BUNDLE_WITHOUT: "development:test" });
            host.run("bundle install");
            host.run("bin/rails assets:precompile");
        },
        // On one host, once per release.
        migrate: |host| {
            let host = host.env(#{ RAILS_ENV: "production", BUNDLE_WITHOUT: "development:test" });
            host.run(sh("bin/rails db:migrate && echo \"$DONE {x}\""));
        },
        // After the switch, while the host is out; `rfab --abort` calls it, too.
        restart: |host| service::restart(host),
    }
}
"#
        ),
        "{hooks}"
    );
    let model = done(repository.run("production setup", Model::new()));
    let ran = repository.run("production deploy:stable", model);
    assert_eq!(ran.ended.table.len(), 4);
    done(ran);
}

#[test]
fn hosts_of_a_fabfile_py_are_taken_over() {
    let repository = Repository::of(&[(
        "fabfile.py",
        r#"from fabric.api import *
env.user = 'deploy'
CODE_DIR = '/opt/shop/'
def test():
    env.hosts = ['test1.example.org']  # only one
    env.user = "tester"
def production():
    env.roledefs = {
        'web': ['www1', 'www2'],
        # 'old': ['www0'],
        'db': ['db1'],
    }
def deploy():
    with cd(CODE_DIR):
        run("git pull 'x@y'")
"#,
    )]);
    assert_eq!(repository.hosts("test"), ["test1.example.org - web"]);
    assert_eq!(repository.hosts("production"), ["www1 group1 web", "www2 group2 web", "db1 - db"]);
    assert_eq!(repository.fleet("test").app.unwrap().path, "/opt/shop");
    // Rhai reserves `test`, but a line can still name it.
    done(repository.run("test deploy:stable", Model::new()));
    let new = Repository::of(&[("fabfile.py", "c = SerialGroup(\"a@h1\", 'h2:2200', user=\"x\")\n")]);
    assert_eq!(new.hosts("prod"), ["h1 group1 web", "h2 group2 web"]);
    assert_eq!(new.fleet("prod").user.as_deref(), Some("a"));
}

#[test]
fn hosts_of_an_inventory_are_taken_over_a_stage_for_each_file() {
    let inventory = "
# machines
lb ansible_host=10.0.0.1
[web]
web[01:12].example.org
[db]
db1 ansible_host=10.0.0.9 ansible_user=admin
web02.example.org ansible_host=10.0.0.2
[all:vars]
ansible_user=deploy
[site:children]
web
";
    let repository = Repository::of(&[
        ("inventories/production/hosts", inventory),
        ("inventories/live.yml", "all: {}"),
        ("inventory/staging.ini", "[app]\nstage1 ansible_user=ci\n"),
    ]);
    let text = repository.text("fleets/production.toml");
    assert!(text.contains("\"web[03..06].example.org\" = { group = \"group1\", roles = [\"web\"] }\n"), "{text}");
    assert!(text.contains("\"web[07..12].example.org\" = { group = \"group2\", roles = [\"web\"] }\n"), "{text}");
    assert!(
        text.contains("\"web02.example.org\"       = { group = \"group1\", roles = [\"web\", \"db\"], address"),
        "{text}"
    );
    assert_eq!(repository.fleet("production").hosts.len(), 12);
    let strange: Vec<String> = init::fleets(&repository.found).into_iter().flat_map(|fleet| fleet.strange).collect();
    assert_eq!(strange, ["lb", "db1"]);
    assert_eq!(repository.hosts("staging"), ["stage1 - app"]);
    assert_eq!(
        repository.found.notes,
        [
            "`inventories/live.yml` is YAML: add its hosts by hand",
            "`web` is part of the group `site`: give its hosts that role, too, if you need it",
            "db1: its login user admin belongs in an ssh configuration"
        ]
    );
    done(repository.run("production deploy:stable", Model::new()));
}

#[test]
fn the_package_files_of_each_kind_give_hooks_that_compile_and_run() {
    let node = "{\"scripts\": {\"build\": \"x\"}}";
    let kinds: [(Files, &[&str]); 9] = [
        (&[("package.json", node), ("package-lock.json", "")], &["npm ci", "npm run build"]),
        (&[("package.json", "{"), ("yarn.lock", "")], &["yarn install --frozen-lockfile"]),
        (
            &[("requirements.txt", ""), ("manage.py", "")],
            &["python3 -m venv .venv", ".venv/bin/pip install -r requirements.txt"],
        ),
        (&[("uv.lock", ""), ("pyproject.toml", "")], &["uv sync --frozen --no-dev"]),
        (&[("go.mod", "")], &["go build -o bin/ ./..."]),
        (&[("Cargo.toml", "")], &["cargo build --release --locked"]),
        (
            &[("composer.json", ""), ("artisan", "")],
            &["composer install --no-dev --no-interaction --optimize-autoloader"],
        ),
        (&[("Gemfile", "")], &["bundle install"]),
        (&[("index.html", "")], &[]),
    ];
    for (files, prepare) in kinds {
        let repository = Repository::of(files);
        assert_eq!(repository.found.prepare, prepare, "{files:?}");
        let ran = repository.run("deploy stable", Model::new());
        let changes = made_up::changes(&ran.events);
        for command in prepare {
            assert!(changes.iter().any(|change| change.contains(command)), "{command}: {changes:#?}");
        }
        done(ran);
    }
}

#[test]
fn processes_and_unit_files_become_units_of_the_roles_that_hosts_have() {
    let of = |files: &[(&str, &str)]| {
        let repository = Repository::of(files);
        repository.project();
        let units = repository.fleet("prod").app.unwrap().service.unwrap().units;
        units.iter().map(|(role, units)| format!("{role}: {}", units.join(" "))).collect::<Vec<_>>()
    };
    let processes = ("Procfile", "web: x\nmailer: y\n# no: process\nbad name: z\n");
    assert_eq!(of(&[processes]), ["mailer: shop-mailer", "web: shop"]);
    let units = [processes, ("systemd/shop-web.service", ""), ("deploy/shop-mailer.service", ""), ("x.timer", "")];
    assert_eq!(of(&units), ["mailer: shop-mailer", "web: shop-web"]);
    assert_eq!(of(&[]), ["web: shop"]);
}

#[test]
fn stages_whose_names_are_taken_get_functions_of_other_names() {
    let stage = |name: &str, role: &str| {
        (format!("config/deploy/{name}.rb"), format!("server 'h-{name}', roles: %w{{{role}}}\n"))
    };
    let files = [
        stage("deploy", "web"),
        stage("web", "web"),
        stage("live", "all"),
        stage("eu-west", "app"),
        stage("3", "x"),
        stage("eu_west", "h-eu_west"),
    ];
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let files: Vec<(&str, &str)> = files.chain([("config/deploy.rb", "")]).collect();
    let repository = Repository::of(&files);
    let naming: Vec<String> =
        repository.project().tasks.into_iter().filter(|task| task.names_hosts).map(|task| task.name).collect();
    assert_eq!(naming, ["eu_west", "eu_west_4", "fleet_3", "fleet_deploy", "fleet_live", "fleet_web"]);
    for name in ["deploy", "web", "live", "eu-west", "eu_west", "3"] {
        assert_eq!(repository.fleet(name).hosts.len(), 1, "{name}");
    }
    done(repository.run("fleet_web deploy:stable", Model::new()));
}

#[test]
fn every_key_of_a_fleet_file_stands_in_it_with_its_default() {
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fleet.md")).unwrap();
    // The heading of a table is `[app.health]`, for example; the keys at the top have none.
    let mut table = "";
    let mut keys: Vec<(&str, &str, &str)> = Vec::new();
    for line in docs.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            table = heading.strip_prefix('`').and_then(|rest| rest.split('`').next()).unwrap_or_default();
        } else if let Some((key, rest)) = line.strip_prefix("| `").and_then(|row| row.split_once("` | ")) {
            keys.push((table.trim_end_matches("NAME]"), key, rest.split(" | ").next().unwrap()));
        }
    }
    assert!(keys.len() > 45 && keys.iter().any(|(table, ..)| *table == "[balancer."), "{keys:?}");
    let heading = |line: &str| line.trim_start_matches("# ").starts_with('[');
    for repository in [Repository::of(&[]), capistrano()] {
        for name in ["prod", "testing1", "production", "staging"] {
            let Ok(text) = fs::read_to_string(repository.at().join(format!("fleets/{name}.toml"))) else { continue };
            for (table, key, default) in &keys {
                let paragraph = text.split("\n\n").filter(|paragraph| match *table {
                    "" => !paragraph.lines().any(heading),
                    table => paragraph.lines().any(|line| line.trim_start_matches("# ").starts_with(table)),
                });
                let lines = paragraph.flat_map(str::lines).collect::<Vec<_>>();
                let says = |line: &&str| {
                    let bare = line.trim_start_matches("# ");
                    bare.split_once('=').is_some_and(|(known, _)| known.trim() == *key)
                        || [format!("{{ {key} = "), format!(", {key} = "), format!("`{key}` is")]
                            .iter()
                            .any(|text| bare.contains(text))
                };
                let line = lines.into_iter().find(says);
                let line = line.unwrap_or_else(|| panic!("{name} says nothing of `{key}` in `{table}`:\n{text}"));
                // A key that is commented out shows its default, if that can be written.
                let literal =
                    default.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).filter(|d| !d.contains('`'));
                if let Some(literal) = literal.filter(|_| line.starts_with("# ") && !line.starts_with("# \"")) {
                    assert!(line.contains(literal), "{name}: {line} hasn't {literal}");
                }
            }
        }
    }
}

#[test]
fn nothing_is_overwritten_and_then_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("fleets")).unwrap();
    fs::write(folder.path().join("fleets/prod.toml"), "mine").unwrap();
    std::os::unix::fs::symlink("/nowhere/x", folder.path().join("fleets/testing1.toml")).unwrap();
    let found = init::look(folder.path());
    let files = init::files(&found, &init::fleets(&found));
    let failure = init::write(folder.path(), &files).unwrap_err();
    assert_eq!(failure.message, "`fleets/testing1.toml`, `fleets/prod.toml` already exist, so rfab wrote nothing");
    assert!(!folder.path().join("fabfile.rhai").exists());
    assert_eq!(fs::read_to_string(folder.path().join("fleets/prod.toml")).unwrap(), "mine");
    // A file where the folder should be: rfab removes what it wrote before that.
    fs::remove_dir_all(folder.path().join("fleets")).unwrap();
    fs::write(folder.path().join("fleets"), "mine").unwrap();
    let failure = init::write(folder.path(), &files).unwrap_err();
    assert!(
        failure.message.starts_with("`fleets/testing1.toml` can't be written, so rfab wrote nothing: "),
        "{failure}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn nothing_is_written_through_a_link_to_a_file_or_a_folder_wherever_it_leads() {
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(outside.path().join("inner")).unwrap();
    for (link, to) in [
        ("fleets", outside.path().to_owned()),
        ("fleets", "inner".into()),
        ("fleets", outside.path().join("nothing")),
        ("fabfile.rhai", outside.path().join("nothing")),
        ("fabfile.rhai", "inner/nothing".into()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        std::os::unix::fs::symlink(&to, folder.path().join(link)).unwrap();
        let found = init::look(folder.path());
        let files = init::files(&found, &init::fleets(&found));
        let failure = init::write(folder.path(), &files).unwrap_err();
        assert!(failure.message.contains("rfab wrote nothing"), "{link} to {to:?}: {failure}");
        let left = |at: &Path| fs::read_dir(at).unwrap().count();
        assert_eq!((left(folder.path()), left(&folder.path().join("inner"))), (2, 0), "{link} to {to:?}");
        assert_eq!(left(outside.path()), 1, "{link} to {to:?}");
    }
}
