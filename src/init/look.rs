//! Inspects a repository: its package files, processes and units, and the tool that deploys it today.
use super::{
    found::{AppKind, FoundProject},
    inventory, python, ruby,
    texts::{plain, read as read_file},
};
use std::{fs, path::Path};

/// Folders that repositories keep unit files in.
const UNITS: [&str; 8] =
    ["", "systemd", "deploy", "deploy/systemd", "config/systemd", "etc/systemd/system", "contrib/systemd", "debian"];

/// Inspects the files of a folder. It runs nothing, and skips files that can't be read.
pub fn look(folder: &Path) -> FoundProject {
    let mut found = FoundProject { app: app(folder), ..FoundProject::default() };
    kind(folder, &mut found);
    processes(folder, &mut found);
    units(folder, &mut found);
    ruby::look(folder, &mut found);
    python::look(folder, &mut found);
    inventory::look(folder, &mut found);
    found
}

/// Returns the name of the remote's repository, otherwise of the folder.
fn app(folder: &Path) -> String {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let of_folder = || real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = remote(folder).and_then(|url| {
        let last = url.trim_end_matches('/').rsplit(['/', ':']).next()?;
        Some(last.trim_end_matches(".git").to_owned())
    });
    let name = name.filter(|name| plain(name)).unwrap_or_else(of_folder).to_lowercase();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect();
    let name = name.trim_matches(['-', '_']).to_owned();
    if plain(&name) && name.starts_with(|c: char| c.is_ascii_lowercase()) { name } else { "app".to_owned() }
}

/// Returns the URL of `origin` from git's configuration.
fn remote(folder: &Path) -> Option<String> {
    let text = read_file(&folder.join(".git/config"))?;
    let (_, section) = text.split_once("[remote \"origin\"]")?;
    let lines = section.lines().skip(1).take_while(|line| !line.trim_start().starts_with('['));
    lines
        .filter_map(|line| line.trim().strip_prefix("url")?.trim().strip_prefix('='))
        .map(|url| url.trim().to_owned())
        .next()
}

fn kind(folder: &Path, found: &mut FoundProject) {
    let has = |file: &str| folder.join(file).is_file();
    let text = |file: &str| read_file(&folder.join(file)).unwrap_or_default();
    let first = |files: &[&'static str]| files.iter().copied().find(|file| has(file));
    let mut is = |kind, by: &str, prepare: &[&str], migrate: &[&str]| {
        (found.kind, found.by) = (kind, Some(by.to_owned()));
        found.prepare = prepare.iter().map(|c| c.to_string()).collect();
        found.migrate = migrate.iter().map(|c| c.to_string()).collect();
    };
    if has("Gemfile") && has("config/application.rb") {
        let prepare = ["bundle install", "bin/rails assets:precompile"];
        let assets = has("config/importmap.rb") || folder.join("app/assets").is_dir();
        is(AppKind::Rails, "config/application.rb", &prepare[..if assets { 2 } else { 1 }], &["bin/rails db:migrate"]);
        let environment = [("RAILS_ENV", "production"), ("BUNDLE_WITHOUT", "development:test")];
        found.environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        found.health = text("config/routes.rb").contains("rails/health").then(|| "/up".to_owned());
    } else if has("Gemfile") {
        is(AppKind::Ruby, "Gemfile", &["bundle install"], &[]);
    } else if has("composer.json") {
        let migrate = ["php artisan migrate --force"];
        let prepare = ["composer install --no-dev --no-interaction --optimize-autoloader"];
        is(AppKind::Php, "composer.json", &prepare, &migrate[..usize::from(has("artisan"))]);
    } else if let Some(by) = first(&["uv.lock", "requirements.txt", "pyproject.toml", "setup.py", "manage.py"]) {
        let install: &[&str] = match by {
            "uv.lock" => &["uv sync --frozen --no-dev"],
            "requirements.txt" => &["python3 -m venv .venv", ".venv/bin/pip install -r requirements.txt"],
            "manage.py" => &["python3 -m venv .venv"],
            _ => &["python3 -m venv .venv", ".venv/bin/pip install ."],
        };
        let django = has("manage.py");
        is(AppKind::Python, by, install, &[".venv/bin/python manage.py migrate --noinput"][..usize::from(django)]);
    } else if has("go.mod") {
        is(AppKind::Go, "go.mod", &["go build -o bin/ ./..."], &[]);
    } else if has("Cargo.toml") {
        is(AppKind::Rust, "Cargo.toml", &["cargo build --release --locked"], &[]);
    } else if has("package.json") {
        let (install, run) = match first(&["pnpm-lock.yaml", "yarn.lock", "package-lock.json"]) {
            Some("pnpm-lock.yaml") => ("pnpm install --frozen-lockfile", "pnpm run build"),
            Some("yarn.lock") => ("yarn install --frozen-lockfile", "yarn run build"),
            Some(_) => ("npm ci", "npm run build"),
            None => ("npm install", "npm run build"),
        };
        let package: serde_json::Value = serde_json::from_str(&text("package.json")).unwrap_or_default();
        let builds = package["scripts"]["build"].is_string();
        is(AppKind::Node, "package.json", &[install, run][..if builds { 2 } else { 1 }], &[]);
    } else if let Some(by) = first(&["index.html", "public/index.html"]) {
        is(AppKind::Static, by, &[], &[]);
    }
}

/// Reads a Procfile. Its `release` is the command that the platform runs once for each release.
fn processes(folder: &Path, found: &mut FoundProject) {
    let text = read_file(&folder.join("Procfile")).unwrap_or_default();
    for (name, command) in text.lines().filter_map(|line| line.split_once(':')) {
        let (name, command) = (name.trim(), command.trim());
        if name == "release" && !command.is_empty() {
            found.migrate = vec![command.to_owned()];
        } else if plain(name) && !command.is_empty() && !found.processes.iter().any(|known| known == name) {
            found.processes.push(name.to_owned());
        }
    }
}

fn units(folder: &Path, found: &mut FoundProject) {
    for place in UNITS {
        for entry in fs::read_dir(folder.join(place)).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            // A unit `NAME@.service` has instances that only its hosts know.
            if let Some(unit) = name.strip_suffix(".service").filter(|unit| plain(unit)) {
                found.units.push(unit.to_owned());
            }
        }
    }
    found.units.sort();
    found.units.dedup();
}
