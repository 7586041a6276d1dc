//! The index of one machine, in a file.
use super::{
    entry::{RunEntry, RunSummary},
    index::{Broken, Filter, Index, Label},
};
use crate::host::Name;
use rusqlite::{
    Connection, Error, ErrorCode, ToSql, Transaction, TransactionBehavior::Immediate, config::DbConfig, params,
    params_from_iter,
};
use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

/// The schema's steps; the number of steps that were done is the schema's version.
///
/// A step is never changed. A new step for `RunEntry` empties `run` and `mark`, so that all journals are read again.
const STEPS: &[&str] = &[include_str!("schema/1.sql")];

/// How long one process waits for another.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// Opens the file; makes it, or its schema, if necessary. Only its owner can read it.
    pub(super) fn open(file: &Path) -> Result<Sqlite, Broken> {
        let made = OpenOptions::new().append(true).create(true).mode(0o600).open(file);
        made.map_err(|e| Broken::Other(e.to_string()))?;
        let mut index = Sqlite { connection: Connection::open(file)? };
        index.connection.busy_timeout(PATIENCE)?;
        index.prepare(STEPS)?;
        Ok(index)
    }

    /// Makes an index that ends with this value.
    pub(super) fn in_memory() -> Result<Sqlite, Broken> {
        let mut index = Sqlite { connection: Connection::open_in_memory()? };
        index.prepare(STEPS)?;
        Ok(index)
    }

    /// Empties a damaged file, even while other processes have it open.
    pub(super) fn empty(file: &Path) -> Result<(), Broken> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(PATIENCE)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, true)?;
        connection.execute_batch("VACUUM")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, false)?;
        Ok(())
    }

    fn prepare(&mut self, steps: &[&str]) -> Result<(), Broken> {
        if version(&self.connection)? == steps.len() {
            // If the power fails, what isn't on the disk yet is read from the journals again.
            return Ok(self.connection.pragma_update(None, "synchronous", "normal")?);
        }
        self.migrate(steps)?;
        self.prepare(steps)
    }

    /// Does the missing steps, all or none.
    fn migrate(&mut self, steps: &[&str]) -> Result<(), Broken> {
        let found = version(&self.connection)?;
        if found > steps.len() {
            return Err(Broken::Newer { found, known: steps.len() });
        }
        self.connection.pragma_update(None, "journal_mode", "wal")?;
        let all = self.change()?;
        // Another process may have done them meanwhile.
        for step in steps.get(version(&all)?..).unwrap_or_default() {
            all.execute_batch(step)?;
        }
        all.pragma_update(None, "user_version", steps.len().max(version(&all)?) as u32)?;
        Ok(all.commit()?)
    }

    fn change(&mut self) -> Result<Transaction<'_>, Error> {
        self.connection.transaction_with_behavior(Immediate)
    }
}

fn version(connection: &Connection) -> Result<usize, Error> {
    connection.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0)).map(|version| version as usize)
}

impl Index for Sqlite {
    fn put(&mut self, runs: &[RunSummary]) -> Result<(), Broken> {
        let all = self.change()?;
        {
            let mut unlabel = all.prepare("DELETE FROM label WHERE run = ?")?;
            let mut run =
                all.prepare("INSERT OR REPLACE INTO run (id, began, ending, size, entry) VALUES (?, ?, ?, ?, ?)")?;
            let mut label = all.prepare("INSERT OR IGNORE INTO label (kind, name, began, run) VALUES (?, ?, ?, ?)")?;
            for RunSummary { entry, size } in runs {
                let text = serde_json::to_string(entry).expect("an entry is plain data");
                unlabel.execute([&entry.run])?;
                run.execute(params![entry.run, entry.began(), entry.outcome.word(), size.cast_signed(), text])?;
                let fleets = entry.fleets.iter().map(|name| (Label::Fleet, name));
                for (kind, name) in fleets.chain(entry.tasks.iter().map(|name| (Label::Task, name))) {
                    label.execute(params![kind.word(), kind.same(name), entry.began(), entry.run])?;
                }
            }
        }
        Ok(all.commit()?)
    }

    fn forget(&mut self, runs: &[Name]) -> Result<(), Broken> {
        let all = self.change()?;
        for run in runs {
            all.execute("DELETE FROM label WHERE run = ?", [run])?;
            all.execute("DELETE FROM run WHERE id = ?", [run])?;
        }
        Ok(all.commit()?)
    }

    fn list(&mut self, filter: &Filter, most: usize) -> Result<Vec<RunSummary>, Broken> {
        let (text, values) = question(filter, most);
        let mut asked = self.connection.prepare(&text)?;
        let found = asked.query_map(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?;
        found
            .map(|found| {
                let (text, size): (String, i64) = found?;
                Ok(RunSummary { entry: parsed(&text)?, size: size.cast_unsigned() })
            })
            .collect()
    }

    fn find(&mut self, beginning: &str) -> Result<Vec<RunEntry>, Broken> {
        let text = "SELECT entry FROM run WHERE id >= ?1 AND id < ?1 || char(0x10ffff) LIMIT 2";
        let mut asked = self.connection.prepare(text)?;
        let found = asked.query_map([beginning], |row| row.get::<_, String>(0))?;
        found.map(|text| parsed(&text?)).collect()
    }

    fn known(&mut self, unfinished: bool) -> Result<Vec<(Name, u64)>, Broken> {
        let those = if unfinished { " WHERE ending = 'unfinished'" } else { "" };
        let mut asked = self.connection.prepare(&format!("SELECT id, size FROM run{those}"))?;
        let found = asked.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn names(&mut self, of: Label) -> Result<Vec<String>, Broken> {
        let mut asked = self.connection.prepare("SELECT DISTINCT name FROM label WHERE kind = ?")?;
        let found = asked.query_map([of.word()], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn mark(&mut self) -> Result<Option<String>, Broken> {
        let mut asked = self.connection.prepare("SELECT text FROM mark")?;
        Ok(asked.query_map([], |row| row.get(0))?.next().transpose()?)
    }

    fn set_mark(&mut self, before: Option<&str>, now: &str) -> Result<(), Broken> {
        let all = self.change()?;
        all.execute("DELETE FROM mark WHERE text = ?", [before])?;
        all.execute("INSERT INTO mark (text) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM mark)", [now])?;
        Ok(all.commit()?)
    }
}

/// Writes a filter as SQL. The runs of a label are ordered by time, so that the newest are found without reading the
/// others.
fn question(filter: &Filter, most: usize) -> (String, Vec<Box<dyn ToSql>>) {
    let (mut wanted, mut values): (Vec<String>, Vec<Box<dyn ToSql>>) = (Vec::new(), Vec::new());
    let mut labels = [(Label::Fleet, &filter.fleet), (Label::Task, &filter.task)]
        .into_iter()
        .filter_map(|(kind, name)| Some((kind, kind.same(name.as_deref()?))));
    let mut from = ("run", "run.id", "run");
    if let Some((kind, name)) = labels.next() {
        from = ("label", "label.run", "label JOIN run ON run.id = label.run");
        wanted.push("label.kind = ? AND label.name = ?".to_owned());
        values.extend([Box::new(kind.word()) as Box<dyn ToSql>, Box::new(name)]);
    }
    let (first, id, from) = from;
    for (kind, name) in labels {
        let also = "SELECT 1 FROM label AS also WHERE also.kind = ? AND also.name = ? AND also.began = run.began AND also.run = run.id";
        wanted.push(format!("EXISTS ({also})"));
        values.extend([Box::new(kind.word()) as Box<dyn ToSql>, Box::new(name)]);
    }
    for (compared, time) in [(">=", filter.since), ("<", filter.until)] {
        wanted.extend(time.map(|_| format!("{first}.began {compared} ?")));
        values.extend(time.map(|time| Box::new(time) as Box<dyn ToSql>));
    }
    if !filter.endings.is_empty() {
        let places = vec!["?"; filter.endings.len()].join(", ");
        wanted.push(format!("run.ending IN ({places})"));
        values.extend(filter.endings.iter().map(|ending| Box::new(ending.word()) as Box<dyn ToSql>));
    }
    let wanted = if wanted.is_empty() { String::new() } else { format!(" WHERE {}", wanted.join(" AND ")) };
    values.push(Box::new(i64::try_from(most).unwrap_or(i64::MAX)));
    (format!("SELECT run.entry, run.size FROM {from}{wanted} ORDER BY {first}.began DESC, {id} DESC LIMIT ?"), values)
}

fn parsed(text: &str) -> Result<RunEntry, Broken> {
    serde_json::from_str(text).map_err(|e| Broken::Damaged(e.to_string()))
}

impl From<Error> for Broken {
    fn from(e: Error) -> Broken {
        match e.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::CannotOpen
                | ErrorCode::DiskFull
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure,
            ) => Broken::Other(e.to_string()),
            // Also data that doesn't match the schema: then it isn't the schema that the version means.
            _ => Broken::Damaged(e.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes an index as version 1 wrote it, with one run.
    fn first(file: &Path) {
        let connection = Connection::open(file).unwrap();
        connection.execute_batch(include_str!("schema/1.sql")).unwrap();
        let entry = r#"{"v":1,"run":"a","since":"2026-01-01T01:00:00Z","who":"alice","on_behalf_of":null,"from":"laptop",
            "line":"deploy:stable","flags":[],"fabfile":"/f","digest":"d","tasks":["deploy"],"fleets":["prod"],
            "hosts":["web1"],"commit":"f00","outcome":"left-out","exit":8,"took":9}"#;
        let run = "INSERT INTO run VALUES ('a', 1767229200000, 'left-out', 100, ?)";
        connection.execute(run, [entry]).unwrap();
        connection.execute_batch("INSERT INTO label VALUES ('fleet', 'prod', 1767229200000, 'a')").unwrap();
        connection.execute_batch("INSERT INTO mark VALUES ('m'); PRAGMA user_version = 1").unwrap();
    }

    fn migrated(file: &Path, steps: &[&str]) -> Result<Sqlite, Broken> {
        let mut index = Sqlite { connection: Connection::open(file)? };
        index.connection.busy_timeout(PATIENCE)?;
        index.prepare(steps)?;
        Ok(index)
    }

    fn prod(index: &mut Sqlite) -> Vec<String> {
        let filter = Filter { fleet: Some("prod".into()), ..Filter::default() };
        index.list(&filter, 9).unwrap().iter().map(|g| format!("{} {}", g.entry.line, g.entry.outcome)).collect()
    }

    #[test]
    fn what_the_first_version_wrote_is_understood_and_put_again_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("index");
        first(&file);
        let mut index = Sqlite::open(&file).unwrap();
        assert_eq!(prod(&mut index), ["deploy:stable left-out"]);
        let before = index.list(&Filter::default(), 9).unwrap();
        assert_eq!(before[0].entry.began(), 1_767_229_200_000);
        index.put(&before).unwrap();
        assert_eq!(index.list(&Filter::default(), 9).unwrap(), before);
        assert_eq!((index.mark().unwrap().as_deref(), index.known(true).unwrap()), (Some("m"), vec![]));
    }

    #[test]
    fn the_steps_that_a_schema_lacks_are_done_once_and_all_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("index");
        first(&file);
        let known = |index: &Sqlite| {
            let text = "SELECT group_concat(name) FROM sqlite_schema WHERE name IN ('two', 'three')";
            let tables: Option<String> = index.connection.query_row(text, [], |row| row.get(0)).unwrap();
            (version(&index.connection).unwrap(), tables)
        };
        let wrong = [STEPS[0], "CREATE TABLE two (x)", "CREATE TABLE three (x); INSERT INTO four VALUES (1)"];
        assert!(matches!(migrated(&file, &wrong).err(), Some(Broken::Damaged(_))));
        assert_eq!(known(&Sqlite::open(&file).unwrap()), (1, None));
        let right = [STEPS[0], "CREATE TABLE two (x)", "CREATE TABLE three (x)"];
        // Several processes at the same time.
        std::thread::scope(|scope| {
            (0..8).for_each(|_| {
                drop(scope.spawn(|| assert_eq!(migrated(&file, &right).unwrap().known(false).unwrap().len(), 1)))
            });
        });
        let mut index = migrated(&file, &right).unwrap();
        assert_eq!(known(&index), (3, Some("two,three".into())));
        assert_eq!(prod(&mut index), ["deploy:stable left-out"]);
        assert_eq!(Sqlite::open(&file).err(), Some(Broken::Newer { found: 3, known: 1 }));
    }
}
