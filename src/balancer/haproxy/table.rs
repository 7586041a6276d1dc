//! The tables that HAProxy prints, read by column name: each version adds columns.

/// Rows of cells under named columns.
pub(super) struct Table {
    columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads `show stat`: a header that begins with `# `, then rows of CSV (RFC 4180).
    pub(super) fn stat(text: &str) -> Table {
        Table::read(text.lines(), csv)
    }

    /// Reads `show servers state`: the version of its format, a header, then rows of words. `None` for another version.
    pub(super) fn servers_state(text: &str) -> Option<Table> {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let words = |line: &str| line.split(' ').map(str::to_owned).collect();
        (lines.next()?.trim() == "1").then(|| Table::read(lines, words))
    }

    fn read<'a>(lines: impl Iterator<Item = &'a str>, split: fn(&str) -> Vec<String>) -> Table {
        let mut lines = lines.filter(|line| !line.trim().is_empty());
        let columns = split(lines.next().unwrap_or_default().trim_start_matches("# "));
        Table { columns, rows: lines.map(split).collect() }
    }

    /// Returns a row's cell in a column; `None` if the column doesn't exist or the row is shorter.
    pub(super) fn cell<'a>(&self, row: &'a [String], column: &str) -> Option<&'a str> {
        let at = self.columns.iter().position(|name| name == column)?;
        row.get(at).map(String::as_str)
    }

    /// Returns a cell as a number; an empty cell is 0.
    pub(super) fn number(&self, row: &[String], column: &str) -> Option<u64> {
        match self.cell(row, column)? {
            "" => Some(0),
            text => text.parse().ok(),
        }
    }
}

/// Splits a row into cells. A cell with commas or quotes is quoted, with quotes doubled; an app's answer may be one.
fn csv(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cells.last_mut().expect("never empty").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().expect("never empty").push(c),
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_found_behind_what_an_app_answered_with_commas_and_quotes() {
        let table = Table::stat("# svname,last_chk,cookie,\nweb1,\"no, \"\"not\"\" yet\",c1,\n\nweb2,,,\n");
        let cells = |column| table.rows.iter().map(|row| table.cell(row, column)).collect::<Vec<_>>();
        assert_eq!(cells("cookie"), [Some("c1"), Some("")]);
        assert_eq!(cells("last_chk"), [Some("no, \"not\" yet"), Some("")]);
        assert_eq!(cells("none"), [None, None]);
        assert_eq!(table.number(&table.rows[1], "cookie"), Some(0));
        assert_eq!(table.number(&table.rows[0], "cookie"), None);
    }

    #[test]
    fn a_state_of_another_version_is_not_read() {
        let table = Table::servers_state("1\n# be_id be_name srv_name\n3 www web1\n\n").unwrap();
        assert_eq!(table.cell(&table.rows[0], "srv_name"), Some("web1"));
        assert!(Table::servers_state("2\n# be_id\n3\n").is_none());
        assert!(Table::servers_state("Can't find backend.\n").is_none());
    }
}
