//! The facts about a repository that show how it's deployed, as plain data.

/// The facts that were found in a repository, without running any of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundProject {
    /// The app's name, which is valid for folders, users and units.
    pub app: String,
    pub kind: AppKind,
    /// The file that shows the kind.
    pub by: Option<String>,
    /// Commands to prepare a new release, before the switch.
    pub prepare: Vec<String>,
    /// Commands that run on one host, once for each release.
    pub migrate: Vec<String>,
    /// The environment that the commands need.
    pub environment: Vec<(String, String)>,
    /// The names in a Procfile, except `release`.
    pub processes: Vec<String>,
    /// The names of unit files, without `.service`.
    pub units: Vec<String>,
    /// The path of the app's own health page.
    pub health: Option<String>,
    /// The tool that deploys the app today, and its files.
    pub tool: Option<(Tool, Vec<String>)>,
    pub path: Option<String>,
    pub keep: Option<usize>,
    pub linked: Vec<String>,
    /// The repository that the tool deploys from.
    pub repository: Option<String>,
    pub stages: Vec<FoundStage>,
    /// What couldn't be taken over, one line each.
    pub notes: Vec<String>,
    /// What isn't certain, one line each.
    pub guesses: Vec<String>,
}

/// The language or framework of the app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppKind {
    Rails,
    Ruby,
    Php,
    Python,
    Go,
    Rust,
    Node,
    Static,
    #[default]
    Unknown,
}

/// The tool that deploys the app today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Capistrano,
    Mina,
    Fabric,
    Ansible,
}

/// An environment of the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundStage {
    pub name: String,
    pub user: Option<String>,
    pub path: Option<String>,
    pub hosts: Vec<FoundHost>,
}

/// A host of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundHost {
    pub name: String,
    pub address: Option<String>,
    pub roles: Vec<String>,
}

impl AppKind {
    /// Returns its name for people.
    pub fn word(self) -> &'static str {
        match self {
            AppKind::Rails => "Rails",
            AppKind::Ruby => "Ruby",
            AppKind::Php => "PHP",
            AppKind::Python => "Python",
            AppKind::Go => "Go",
            AppKind::Rust => "Rust",
            AppKind::Node => "Node",
            AppKind::Static => "static pages",
            AppKind::Unknown => "an app",
        }
    }

    /// Returns the usual port of such an app.
    pub fn port(self) -> u16 {
        match self {
            AppKind::Rails | AppKind::Ruby | AppKind::Node => 3000,
            AppKind::Python => 8000,
            AppKind::Php | AppKind::Static => 80,
            AppKind::Go | AppKind::Rust | AppKind::Unknown => 8080,
        }
    }
}

impl Tool {
    /// Returns its name for people.
    pub fn word(self) -> &'static str {
        match self {
            Tool::Capistrano => "Capistrano",
            Tool::Mina => "Mina",
            Tool::Fabric => "Fabric",
            Tool::Ansible => "an inventory of Ansible",
        }
    }
}

impl FoundStage {
    /// Adds a host, or adds roles to a host that is already there.
    pub fn host(&mut self, name: &str, roles: impl IntoIterator<Item = String>) {
        let at = self.hosts.iter().position(|host| host.name == name).unwrap_or_else(|| {
            self.hosts.push(FoundHost { name: name.to_owned(), ..FoundHost::default() });
            self.hosts.len() - 1
        });
        for role in roles {
            if !self.hosts[at].roles.contains(&role) {
                self.hosts[at].roles.push(role);
            }
        }
    }
}
