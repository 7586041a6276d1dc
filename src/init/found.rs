//! What a repository says about how it is deployed, as plain data.

/// What was found in a repository; nothing of it was run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundProject {
    /// The app's name, good for folders, users and units.
    pub app: String,
    pub kind: AppKind,
    /// The file that told the kind.
    pub by: Option<String>,
    /// Commands for a new release, before the switch.
    pub prepare: Vec<String>,
    /// Commands for one host, once a release.
    pub migrate: Vec<String>,
    /// What the commands want in their environment.
    pub environment: Vec<(String, String)>,
    /// The names in a Procfile, but for `release`.
    pub processes: Vec<String>,
    /// Services by their unit files, without `.service`.
    pub units: Vec<String>,
    /// The path of the app's own health page.
    pub health: Option<String>,
    /// The files of the tool that deploys it now.
    pub tool: Option<(Tool, Vec<String>)>,
    pub path: Option<String>,
    pub keep: Option<usize>,
    pub linked: Vec<String>,
    /// The repository that the tool deploys from.
    pub repository: Option<String>,
    pub stages: Vec<FoundStage>,
    /// What was there and could not be taken over, each a sentence.
    pub notes: Vec<String>,
    /// What nothing says for certain, each a sentence.
    pub guesses: Vec<String>,
}

/// What the app is written in.
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

/// What deploys it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Capistrano,
    Mina,
    Fabric,
    Ansible,
}

/// One environment of the app.
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
    /// As people call it.
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

    /// The port that such an app usually listens on.
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
    /// Its name.
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
    /// Takes a host in, or further roles of one that is there.
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
