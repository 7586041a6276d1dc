//! The pages are a book: each one is in its summary, and each link leads somewhere.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(top().join(name)).unwrap_or_else(|_| panic!("{name} is linked and not there"))
}

/// Returns the files below `docs`, as paths from the repository's top.
pub fn files() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    walk(&top().join("docs"), &mut |file| {
        all.insert(file.strip_prefix(top()).unwrap().to_string_lossy().into_owned());
    });
    all
}

/// Visits every file below a folder.
pub fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { walk(&entry, visit) } else { visit(&entry) }
    }
}

/// Returns the pages: all Markdown below `docs`, except the summary.
pub fn pages() -> BTreeSet<String> {
    files().into_iter().filter(|name| name.ends_with(".md") && name != "docs/SUMMARY.md").collect()
}

/// Returns a page without its blocks, in which nothing is a link or a heading.
pub fn prose(page: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in page.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if !fence && !fenced && !line.starts_with("    ") {
            prose += line;
            prose.push('\n');
        }
    }
    prose
}

/// Returns the names that a link can have after `#`: the page's headings, spelled as GitHub and mdBook both do.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let heading = |line: &str| line.starts_with('#').then(|| line.trim_start_matches('#').trim().to_lowercase());
    let kept = |c: char| c.is_alphanumeric() || "_- ".contains(c);
    let name = |text: String| text.chars().filter(|c| kept(*c)).collect::<String>().replace(' ', "-");
    prose(page)
        .lines()
        .filter_map(heading)
        .map(name)
        .map(|name| {
            let before = times.entry(name.clone()).or_default();
            *before += 1;
            if *before == 1 { name } else { format!("{name}-{}", *before - 1) }
        })
        .collect()
}

/// Returns where the links of a page lead: a path from the top, and the name after `#`.
fn links(name: &str) -> Vec<(String, Option<String>)> {
    let page = prose(&read(name));
    let whole = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let mut links = Vec::new();
    for link in whole.filter(|link| !link.contains("://") && !link.contains(' ')) {
        let (file, anchor) =
            link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor.to_owned())));
        let file = if file.is_empty() { name.to_owned() } else { beside(name, file) };
        links.push((file, anchor));
    }
    links
}

/// Returns a path on a page as a path from the top.
fn beside(page: &str, path: &str) -> String {
    let mut whole = PathBuf::new();
    for part in Path::new(page).parent().unwrap().join(path).components() {
        match part {
            Component::ParentDir => assert!(whole.pop(), "{page} links {path}, which is outside"),
            Component::CurDir => {}
            part => whole.push(part),
        }
    }
    whole.to_string_lossy().into_owned()
}

#[test]
fn the_summary_lists_every_page_once_and_by_its_own_title() {
    let summary = read("docs/SUMMARY.md");
    let mut listed = BTreeMap::new();
    for line in summary.lines().filter(|line| line.contains("](")) {
        let (title, rest) = line.split_once('[').unwrap().1.split_once("](").unwrap();
        let name = format!("docs/{}", rest.trim_end_matches(')'));
        let page = read(&name);
        let own = page.lines().next().unwrap().trim_start_matches("# ").to_owned();
        assert_eq!(own, title, "{name} has another title in the summary");
        assert!(listed.insert(name.clone(), ()).is_none(), "the summary lists {name} twice");
    }
    assert_eq!(listed.into_keys().collect::<BTreeSet<_>>(), pages(), "the summary (left) and the pages");
}

#[test]
fn the_book_is_made_of_this_folder_and_into_another() {
    let book: toml::Table = read("docs/book.toml").parse().unwrap();
    let text = |table: &str, key: &str| book[table][key].as_str().unwrap().to_owned();
    assert_eq!(text("book", "src"), ".");
    // mdBook copies everything in the folder, so a book built there would contain itself.
    assert_eq!(text("build", "build-dir"), "../target/book");
    assert_eq!(book["build"]["create-missing"].as_bool(), Some(false), "a page that is missing is an error");
    let cargo: toml::Table = read("Cargo.toml").parse().unwrap();
    assert_eq!(text("book", "title"), cargo["package"]["name"].as_str().unwrap());
    assert_eq!(text("book", "description"), cargo["package"]["description"].as_str().unwrap());
}

#[test]
fn every_link_of_every_page_leads_somewhere() {
    let mut counted = 0;
    let more = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/SUMMARY.md"].map(str::to_owned);
    for page in pages().into_iter().chain(more) {
        for (file, anchor) in links(&page) {
            assert!(top().join(&file).exists(), "{page} links {file}, which isn't there");
            if let Some(anchor) = anchor {
                assert!(anchors(&read(&file)).contains(&anchor), "{page} links #{anchor}, which {file} hasn't");
            }
            counted += 1;
        }
    }
    assert!(counted > 150, "{counted}");
}

#[test]
fn every_page_can_be_reached_from_the_first() {
    let mut seen = BTreeSet::from(["docs/README.md".to_owned()]);
    let mut open = vec!["docs/README.md".to_owned()];
    while let Some(page) = open.pop() {
        for (file, _) in links(&page) {
            if seen.insert(file.clone()) && file.ends_with(".md") {
                open.push(file);
            }
        }
    }
    // Definitions are for editors; the summary and its settings are for mdBook.
    let needs_none =
        |name: &String| name.ends_with(".d.rhai") || ["docs/SUMMARY.md", "docs/book.toml"].contains(&&**name);
    let lost: Vec<String> = files().into_iter().filter(|name| !seen.contains(name) && !needs_none(name)).collect();
    assert!(lost.is_empty(), "no page links {lost:?}");
}
