-- A run, and what it is found by; `entry` is JSON, `size` is how many bytes of its journal were looked at.
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    began INTEGER NOT NULL,
    ending TEXT NOT NULL,
    size INTEGER NOT NULL,
    entry TEXT NOT NULL
) STRICT;
CREATE INDEX run_began ON run (began, id);
CREATE INDEX run_ending ON run (ending, began, id);

-- Its fleets and its tasks.
CREATE TABLE label (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    began INTEGER NOT NULL,
    run TEXT NOT NULL,
    PRIMARY KEY (kind, name, began, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_run ON label (run);

-- The folder's state up to which every journal is known: one row, or none.
CREATE TABLE mark (text TEXT NOT NULL) STRICT;
