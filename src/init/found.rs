//! The facts about a repository that show how it's deployed, as plain data.

/// The facts that were found in a repository, without running any of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The app's name, which is valid for folders, users and units.
    pub app: String,
    pub kind: Kind,
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
    pub stages: Vec<Stage>,
    /// What couldn't be taken over, one line each.
    pub notes: Vec<String>,
    /// What isn't certain, one line each.
    pub guesses: Vec<String>,
}

/// The language or framework of the app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
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
pub struct Stage {
    pub name: String,
    pub user: Option<String>,
    pub path: Option<String>,
    pub hosts: Vec<Machine>,
}

/// A host of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    pub name: String,
    pub address: Option<String>,
    pub roles: Vec<String>,
}

impl Kind {
    /// Returns its name for people.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Rails => "Rails",
            Kind::Ruby => "Ruby",
            Kind::Php => "PHP",
            Kind::Python => "Python",
            Kind::Go => "Go",
            Kind::Rust => "Rust",
            Kind::Node => "Node",
            Kind::Static => "static pages",
            Kind::Unknown => "an app",
        }
    }

    /// Returns the usual port of such an app.
    pub fn port(self) -> u16 {
        match self {
            Kind::Rails | Kind::Ruby | Kind::Node => 3000,
            Kind::Python => 8000,
            Kind::Php | Kind::Static => 80,
            Kind::Go | Kind::Rust | Kind::Unknown => 8080,
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

impl Stage {
    /// Adds a host, or adds roles to a host that is already there.
    pub fn host(&mut self, name: &str, roles: impl IntoIterator<Item = String>) {
        let at = self.hosts.iter().position(|host| host.name == name).unwrap_or_else(|| {
            self.hosts.push(Machine { name: name.to_owned(), ..Machine::default() });
            self.hosts.len() - 1
        });
        for role in roles {
            if !self.hosts[at].roles.contains(&role) {
                self.hosts[at].roles.push(role);
            }
        }
    }
}
