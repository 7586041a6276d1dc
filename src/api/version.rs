//! Primitives that read and write the version in the project's files.
use super::git::worked_in;
use crate::{
    control::shown,
    failure::{Cause, Failure},
    fleet::{FORMATS, VersionFile, VersionFormat},
    misspelled::did_you_mean,
    script::{Here, RhaiResultOf, here, thrown},
    version::{NamedVersionFile, ReadOnlyVersion, ReadVersion, ReadVersionFiles, WriteVersion, compare, next},
};
use rhai::{Array, Map, NativeCallContext, plugin::*};

/// Makes a file from its path and its key; an empty key means the usual one.
fn file(path: &str, key: &str, format: Option<&str>) -> RhaiResultOf<VersionFile> {
    let wrong = |message: String| Failure::new(Cause::Fabfile, message);
    let format = match format {
        Some(word) => FORMATS.iter().find(|(known, _)| *known == word).map(|(_, format)| *format).ok_or_else(|| {
            let failure = wrong(format!("unknown format `{}`", shown(word)));
            let near = did_you_mean(word, FORMATS.map(|(known, _)| known));
            failure.help(near.unwrap_or_else(|| "write `ini`, `toml`, `json`, `yaml`, `ruby` or `plain`".to_owned()))
        }),
        None => VersionFormat::of(path).ok_or_else(|| {
            wrong(format!("rfab can't tell the format of `{}` from its name", shown(path)))
                .help("name the file and its `format` in `rfab.toml`, and use what `version::files()` returns")
        }),
    };
    let key = Some(key).filter(|key| !key.is_empty()).map(str::to_owned);
    Ok(VersionFile { file: path.to_owned(), key, format: format.map_err(thrown)? })
}

/// Reads a file from a map with `file`, and perhaps `key` and `format`.
fn of_map(map: &Map) -> RhaiResultOf<VersionFile> {
    let text = |name: &str| map.get(name).filter(|value| !value.is_unit()).map(|value| value.to_string());
    let path = text("file").ok_or_else(|| {
        let failure = Failure::new(Cause::Fabfile, "this map doesn't name a `file`");
        thrown(failure.help("write `#{ file: \"VERSION\" }`, or use what `version::files()` returns"))
    })?;
    file(&path, &text("key").unwrap_or_default(), text("format").as_deref())
}

fn to_map(named: NamedVersionFile) -> Map {
    let NamedVersionFile { file: VersionFile { file, key, format }, changes } = named;
    let format = FORMATS.iter().find(|(_, known)| *known == format).map_or("", |(word, _)| *word);
    let changes: Array = changes.into_iter().map(Dynamic::from).collect();
    let mut map = Map::new();
    map.insert("file".into(), file.into());
    map.insert("key".into(), key.unwrap_or_default().into());
    map.insert("format".into(), format.into());
    map.insert("changes".into(), changes.into());
    map
}

fn files(here: &Here, commit: Option<String>) -> RhaiResultOf<Array> {
    let read = ReadVersionFiles { repository: worked_in(here)?, project: here.script.folder.clone(), commit };
    let all = here.perform(read)?;
    let map = |named| {
        let mut map = to_map(named);
        map.insert("found".into(), all.found.into());
        Dynamic::from(map)
    };
    Ok(all.files.into_iter().map(map).collect())
}

fn read(here: &Here, file: VersionFile, commit: Option<&str>) -> RhaiResultOf<String> {
    here.perform(ReadVersion { repository: worked_in(here)?, file, commit: commit.map(str::to_owned) })
}

fn write(here: &Here, file: VersionFile, value: &str) -> RhaiResultOf<Array> {
    let written = here.perform(WriteVersion { repository: worked_in(here)?, file, value: value.to_owned() })?;
    Ok(written.into_iter().map(Dynamic::from).collect())
}

#[export_module(manifest)]
pub(super) mod version {
    /// Returns the files that contain the version: those that `rfab.toml` names, or the only one that rfab finds.
    ///
    /// Each file is a map with `file`, `key`, `format`, `found` and `changes`. `found` is whether rfab found the file
    /// without `rfab.toml`. `changes` lists the files that a write would change: the file, and lock files that repeat
    /// its version.
    ///
    /// # Example
    ///
    /// ```rhai
    /// for one in version::files() { ui::note(`${one.file} has ${version::read(one)}`); }
    /// ```
    #[rhai_fn(name = "files", return_raw)]
    pub(crate) fn files_here(ctx: NativeCallContext) -> RhaiResultOf<Array> {
        files(&here(&ctx)?.clone(), None)
    }

    /// Returns the files that contain the version at a commit. Pass the commit's full id. `changes` is empty.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let files = version::files(git::resolve("stable").id);
    /// ```
    #[rhai_fn(name = "files", return_raw)]
    pub(crate) fn files_at(ctx: NativeCallContext, commit: &str) -> RhaiResultOf<Array> {
        files(&here(&ctx)?.clone(), Some(commit.to_owned()))
    }

    /// Returns the version in a file of the work tree, without a leading `v`.
    ///
    /// The path is relative to the top of the repository. The key is a dotted path, such as `package.version`. With an
    /// empty key, rfab uses the key that is usual for a file of that name.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let now = version::read("VERSION", "");
    /// ```
    #[rhai_fn(name = "read", return_raw)]
    pub(crate) fn read_here(ctx: NativeCallContext, file: &str, key: &str) -> RhaiResultOf<String> {
        read(&here(&ctx)?.clone(), super::file(file, key, None)?, None)
    }

    /// Returns the version in a file at a commit. Pass the commit's full id.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let deployed = version::read("VERSION", "", git::resolve("stable").id);
    /// ```
    #[rhai_fn(name = "read", return_raw)]
    pub(crate) fn read_at(ctx: NativeCallContext, file: &str, key: &str, commit: &str) -> RhaiResultOf<String> {
        read(&here(&ctx)?.clone(), super::file(file, key, None)?, Some(commit))
    }

    /// Returns the version in a file of the work tree. Pass a map from `version::files`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let now = version::read(#{ file: "VERSION" });
    /// ```
    #[rhai_fn(name = "read", return_raw)]
    pub(crate) fn read_file(ctx: NativeCallContext, file: Map) -> RhaiResultOf<String> {
        read(&here(&ctx)?.clone(), of_map(&file)?, None)
    }

    /// Returns the version in a file at a commit. Pass a map from `version::files`, and the commit's full id.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let deployed = version::read(#{ file: "VERSION" }, git::resolve("stable").id);
    /// ```
    #[rhai_fn(name = "read", return_raw)]
    pub(crate) fn read_file_at(ctx: NativeCallContext, file: Map, commit: &str) -> RhaiResultOf<String> {
        read(&here(&ctx)?.clone(), of_map(&file)?, Some(commit))
    }

    /// Writes a version into a file of the work tree, and returns the paths of the files that now have it.
    ///
    /// Nothing else in the file changes. rfab updates lock files that repeat the version, too, if git tracks them. It
    /// refuses to replace a value that isn't a plain string on one line.
    ///
    /// # Example
    ///
    /// ```rhai
    /// version::write("VERSION", "", "3.0.2");
    /// ```
    #[rhai_fn(name = "write", return_raw)]
    pub(crate) fn write_here(ctx: NativeCallContext, file: &str, key: &str, value: &str) -> RhaiResultOf<Array> {
        write(&here(&ctx)?.clone(), super::file(file, key, None)?, value)
    }

    /// Writes a version into a file of the work tree. Pass a map from `version::files`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// version::write(#{ file: "VERSION" }, "3.0.2");
    /// ```
    #[rhai_fn(name = "write", return_raw)]
    pub(crate) fn write_file(ctx: NativeCallContext, file: Map, value: &str) -> RhaiResultOf<Array> {
        write(&here(&ctx)?.clone(), of_map(&file)?, value)
    }

    /// Returns whether a commit changes only the version, exactly as `version::write` does. Pass the commit's full id.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let is_bump = version::is_bump(git::resolve("stable").id);
    /// ```
    #[rhai_fn(name = "is_bump", return_raw)]
    pub(crate) fn is_bump(ctx: NativeCallContext, commit: &str) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        let (repository, project, commit) = (worked_in(&here)?, here.script.folder.clone(), commit.to_owned());
        here.perform(ReadOnlyVersion { repository, project, commit })
    }

    /// Compares two semantic versions. Returns -1 if the first one is older, 0 if they are equal, and 1 if it's newer.
    ///
    /// It ignores a leading `v`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if version::compare("v3.0.1", "3.0.2") < 0 { ui::note("3.0.2 is newer"); }
    /// ```
    #[rhai_fn(name = "compare", return_raw)]
    pub(crate) fn compare_two(one: &str, other: &str) -> RhaiResultOf<i64> {
        compare(one, other).map(|order| order as i64).map_err(|e| thrown(e.into()))
    }

    /// Returns the next version after this one. The part to raise is `"major"`, `"minor"` or `"patch"`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let hotfix = version::following("v3.0.1", "patch");
    /// ```
    #[rhai_fn(name = "following", return_raw)]
    pub(crate) fn following(version: &str, part: &str) -> RhaiResultOf<String> {
        next(version, part).map_err(|e| thrown(e.into()))
    }
}
