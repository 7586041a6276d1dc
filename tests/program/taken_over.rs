//! What `--init` reads in other tools' files: it takes a value over, leaves a note for the person, or marks it as a
//! guess.

use rfab::init::{self, FoundProject};
use std::fs;

/// Returns what `--init` finds in a repository with these files.
fn found(files: &[(&str, &str)]) -> FoundProject {
    let top = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = top.path().join("shop").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    init::look(&top.path().join("shop"))
}

/// Returns the hosts of a stage, each with its address and its roles.
fn hosts(found: &FoundProject, stage: &str) -> String {
    let stage = found.stages.iter().find(|known| known.name == stage).unwrap_or_else(|| panic!("{found:#?}"));
    let host = |host: &init::found::FoundHost| {
        let address = host.address.as_ref().map(|address| format!("@{address}")).unwrap_or_default();
        format!("{}{address} {}", host.name, host.roles.join("+")).trim().to_owned()
    };
    stage.hosts.iter().map(host).collect::<Vec<_>>().join(", ")
}

fn user(found: &FoundProject, stage: &str) -> Option<String> {
    found.stages.iter().find(|known| known.name == stage).and_then(|stage| stage.user.clone())
}

/// Checks that each of these texts is in a note.
#[track_caller]
fn named(found: &FoundProject, texts: &[&str]) {
    for text in texts {
        assert!(found.notes.iter().any(|note| note.contains(text)), "{text}: {:#?}", found.notes);
    }
}

#[test]
fn an_inventory_of_ansible_is_read_as_ansible_reads_it() {
    let inventory = r#"
[web]
www[01:04:2].example.org ansible_user = "deploy"   # every second
app-[a:c] ansible_port=2200
edge1:2222 http_port=80 ansible_ssh_common_args='-o ProxyJump=bastion.example.org'
[2001:db8::1]:22
[db]
db1 ansible_host=10.0.0.9:2022 ansible_user=admin
[site:children]
web
[web:vars]
ansible_ssh_private_key_file = ~/.ssh/key
ansible_ssh_extra_args = "-J jump@bastion2"
[all:vars]
ansible_user = deploy
"#;
    let found = found(&[("inventory/prod.ini", inventory), ("inventory/group_vars/all.yml", "x: 1")]);
    assert_eq!(
        hosts(&found, "prod"),
        "www01.example.org web, www03.example.org web, app-a web, app-b web, app-c web, edge1 web, db1@10.0.0.9 db"
    );
    assert_eq!(user(&found, "prod").as_deref(), Some("deploy"));
    named(
        &found,
        &[
            "app-b: port 2200",
            "edge1: port 2222",
            "edge1: reached through `bastion.example.org`: write `via",
            "the host `[2001:db8::1]:22` can't be read",
            "db1: port 2022",
            "db1: its login user admin",
            "`web` is part of the group `site`",
            "web: reached through `jump@bastion2`",
            "`ansible_ssh_private_key_file`",
            "`http_port`",
            "`inventory/group_vars` isn't read",
        ],
    );
}

#[test]
fn loops_ports_and_lambdas_of_capistrano_are_taken_over() {
    let deploy = r#"
set :application, 'shop'
set :branch, "main"
set :repo_tree, 'backend'
set :deploy_to, -> { "/var/www/#{fetch(:application)}_#{fetch(:stage)}" }
set :ssh_options, { forward_agent: true, proxy: Net::SSH::Proxy::Command.new("ssh gw -W %h:%p") }
set :default_env, { "SECRET" => "hunter2" }
set :rbenv_ruby, "3.4.1"
task :warm do
end
before "deploy:updated", :warm
"#;
    let production = r##"
%w[web1 web2].each do |name|
  server "#{name}.example.org", user: "deploy", roles: %w{web app}
end
%w(jobs1 jobs2).each { |host| server host, roles: [:worker], port: 2200 }
(1..2).each do |n|
  server "db#{n}", roles: :db, user: "admin", ssh_options: { port: 2022 }
end
hosts_of(:cache).each do |host|
  server host, roles: :cache
end
server cache_host, roles: :cache
"##;
    let found = found(&[("config/deploy.rb", deploy), ("config/deploy/production.rb", production)]);
    assert_eq!(
        hosts(&found, "production"),
        "web1.example.org web+app, web2.example.org web+app, jobs1 worker, jobs2 worker, db1 db, db2 db"
    );
    let production = &found.stages[0];
    assert_eq!(production.path.as_deref(), Some("/var/www/shop_production"));
    assert_eq!(production.user.as_deref(), Some("deploy"));
    named(
        &found,
        &[
            "jobs1: port 2200",
            "`db1`: ports, keys and proxies belong",
            "db2: its login user admin",
            "the host `host` is computed in Ruby",
            "the host `cache_host` is computed in Ruby",
            "`:branch`) is the argument of `deploy` here, as in `rfab deploy:main`",
            "`:repo_tree` `backend`: rfab releases the whole tree",
            "`:ssh_options` isn't taken over",
            "`:default_env` isn't taken over",
            "`:rbenv_ruby`",
            "`before deploy:updated`, `task warm`",
        ],
    );
    assert!(!found.notes.iter().any(|note| note.contains("hunter2")), "{:?}", found.notes);
}

#[test]
fn a_path_that_ruby_makes_is_named_and_none_stands_for_it_as_if_it_were_known() {
    let found = found(&[
        ("config/deploy.rb", "set :deploy_to, -> { File.join(\"/srv\", app_name) }\nserver 'web1', roles: %w{web}\n"),
        ("Procfile", "web: x\n"),
    ]);
    named(&found, &["`:deploy_to`"]);
    let fleets = init::fleets(&found);
    let said = init::said(&found, &fleets, &init::files(&found, &fleets));
    let (_, guessed) = said.split_once("guessed, so check it:\n").unwrap();
    assert!(guessed.contains("the app's folder is /srv/shop\n"), "{said}");
}

#[test]
fn a_fabfile_py_of_either_fabric_is_read_with_its_lists_and_its_users() {
    let first = r#"
from fabric.api import *
env.user = 'deploy'
env.gateway = 'bastion'
WEB = ['www1', 'www2:2200']

def staging():
    env.hosts = ['stage1']
    env.user = 'ci'

def production():
    env.hosts = WEB

def other():
    env.hosts = load_hosts()

def deploy(branch='master'):
    with cd('/opt/shop'):
        run('git pull')
    sudo("supervisorctl restart shop")
"#;
    let one = found(&[("fabfile.py", first)]);
    assert_eq!((hosts(&one, "staging"), user(&one, "staging").as_deref()), ("stage1".into(), Some("ci")));
    assert_eq!((hosts(&one, "production"), user(&one, "production").as_deref()), ("www1, www2".into(), Some("deploy")));
    assert_eq!(one.path.as_deref(), Some("/opt/shop"));
    assert!(one.guesses.iter().any(|guess| guess.contains("/opt/shop")), "{:?}", one.guesses);
    named(
        &one,
        &[
            "`env.gateway`: write `via",
            "www2: port 2200",
            "hosts computed in Python, `load_hosts()`",
            "`supervisorctl restart shop` restarts the app",
            "(`branch`) is the argument of `deploy` here, as in `rfab deploy:master`",
        ],
    );
    let second = r#"
from fabric import SerialGroup, task
HOSTS = ("web1", "web2")
pool = SerialGroup(*HOSTS, user="deploy", connect_kwargs={"key_filename": "x"})

@task(hosts=["jobs1"])
def jobs(c):
    c.run("systemctl restart jobs")
"#;
    let two = found(&[("fabfile.py", second)]);
    assert_eq!((hosts(&two, "prod"), user(&two, "prod").as_deref()), ("web1, web2, jobs1".into(), Some("deploy")));
    named(&two, &["`connect_kwargs=…`", "`systemctl restart jobs` restarts the app"]);
}
