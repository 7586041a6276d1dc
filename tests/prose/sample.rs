// `strings.mjs` must take the marked lines for texts that users read, and no others.

const LIFETIME: &'static str = "a quote of a lifetime is no character"; // read
const QUOTE: char = '"';
const RAW: &str = r#"a raw text with "quotes" in it"#; // read
const QUERY: &str = "SELECT id FROM runs WHERE it is done";
const SHELL: &str = "test -d \"$1\" || echo there is none";
const WORD: &str = "max-hosts";
const FORMAT: &str = "{name}: {count} {}";

/* A comment has "no text in it", /* nor "a comment in it" */. */
fn main() -> Result<(), Failure> {
    println!("{} hosts are out", 3); // read
    let text = file.read().expect("the file is there");
    assert!(text.is_empty(), "the file is empty");
    #[allow(dead_code, reason = "it is a sample")]
    Err(Failure::new(Reason::Failed, format!("host `{host}` doesn't answer")).help("start it again")) // read
}

#[derive(Error)]
enum Error {
    #[error("the answer isn't a number")] // read
    Number,
}

#[cfg(test)]
mod tests {
    fn of_tests() {
        println!("this is of the tests");
    }
}

const AFTER: &str = "what comes after the tests"; // read
