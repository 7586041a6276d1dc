//! Spellings that several rows give.

pub(super) const NO_CLASSES: &str =
    "there are no classes; keep values in a map `#{ key: value }`, and pass it to functions";
pub(super) const SAY: &str = "write `ui::note(\"…\")`";
pub(super) const IMPORT: &str =
    "write `import \"std/deploy\" as deploying;`, or the name of a file beside the fabfile without `.rhai`";
pub(super) const VARIABLES: &str = "a fabfile reads only secrets from the environment, with `secret::env(\"NAME\")`; pass the rest as a task's arguments: `rfab deploy:stable,port=8080`";
pub(super) const LOCAL: &str = "write `local::run(\"…\")`; in another folder `local::cd(\"web\").run(\"…\")`";
pub(super) const HTTP: &str = "write `http::get(url)`, or `http::post(url, #{ text: \"…\" })`";
