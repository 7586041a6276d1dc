//! Files of every format, with the version marked.
use super::{file, holds};

/// A file's name, the key, and the text.
const FILES: &[(&str, &str, &str)] = &[
    ("VERSION", "", "⟦1.2.3⟧"),
    ("VERSION", "", "⟦1.2.3⟧\n"),
    ("VERSION.txt", "", "\u{feff}⟦1.2.3⟧\r\n"),
    ("VERSION", "", "\n  v⟦1.2.3⟧ \n\n"),
    ("VERSION", "", "⟦1.2.3-rc.1+build.5⟧\n"),
    // TOML: quotes, dotted keys, inline tables, comments, and the same version elsewhere.
    (
        "Cargo.toml",
        "",
        "[dependencies]\nshop = \"1.2.3\" # version = \"1.2.3\"\n\n[package]\nname = \"shop\"\nversion = \"⟦1.2.3⟧\" # keep\n",
    ),
    ("Cargo.toml", "", "[package]\r\nname = 'shop'\r\nversion = '⟦1.2.3⟧'\r\n[dependencies]\r\nversion = '1.2.3'\r\n"),
    ("Cargo.toml", "", "[workspace.package]\nversion = \"⟦1.2.3⟧\"\n"),
    ("Cargo.toml", "", "package.version.workspace = true\n[workspace]\npackage = { version = \"⟦1.2.3⟧\" }"),
    ("Cargo.toml", "", "package = { name = \"a\", version = \"⟦1.2.3⟧\" }"),
    ("pyproject.toml", "", "\u{feff}[project]\nversion   =   \"\"\"⟦1.2.3⟧\"\"\"\n"),
    ("pyproject.toml", "", "[tool.poetry]\nname = \"ü\"\nversion = '''⟦1.2.3⟧'''\n"),
    (
        "pyproject.toml",
        "",
        "[project]\ndynamic = [\"readme\"]\nversion = \"⟦1.2.3⟧\"\n[tool.poetry]\nversion = \"9.9.9\"\n",
    ),
    ("a.toml", "\"a.b\".\"c d\"", "'c d' = \"1.2.3\"\n[\"a.b\"]\n'c d' = \"v⟦1.2.3⟧\"\n"),
    ("a.toml", "plugin.1.version", "[[plugin]]\nversion = \"1.2.3\"\n[[plugin]]\nversion = \"⟦1.2.3⟧\"\n"),
    ("a.toml", "version", "version = \"⟦1.2.3⟧\"\n# [[\n[a]\nversion = \"\\u0031.2.3\"\n"),
    // JSON: any spaces, the same key at other levels, strings with quotes and escapes before it.
    ("package.json", "", "{\n  \"name\": \"shop\",\n  \"version\": \"⟦1.2.3⟧\"\n}\n"),
    (
        "package.json",
        "",
        "\u{feff}{\"a\":{\"version\":\"1.2.3\"},\"version\":\"⟦1.2.3⟧\",\"b\":[\"version\",\"1.2.3\"]}",
    ),
    ("package.json", "", "{\r\n\t\"d\" : \"\\\"version\\\": \\\"1.2.3\\\" ü 😀\",\r\n\t\"version\" :\"⟦1.2.3⟧\" }\r\n"),
    ("package.json", "", "{ \"\\u0076ersion\": \"⟦1.2.3⟧\" }"),
    ("package.json", "", "{ \"a\": 1, \"a\": 2, \"version\": \"⟦1.2.3⟧\", \"n\": [1e5, -0.0, true, null, {}, []] }"),
    ("a.json", "plugins.0.version", "{\"plugins\": [{\"version\": \"⟦1.2.3⟧\"}]}"),
    ("a.json", "packages.\"\".version", "{\"packages\": {\"\": {\"version\": \"⟦1.2.3⟧\"}, \"x\": {}}}"),
    // YAML: plain and quoted, in blocks and flows, beside anchors, comments and block texts.
    ("Chart.yaml", "", "# version: 1.2.3\nname: shop\nversion: ⟦1.2.3⟧ # version: 1.2.3\nappVersion: \"1.2.3\"\n"),
    ("Chart.yaml", "appVersion", "version: 1.2.3\nappVersion: \"v⟦1.2.3⟧\"\n"),
    ("Chart.yaml", "", "---\nversion: '⟦1.2.3⟧'\n...\n"),
    ("pubspec.yaml", "", "name: ü\r\nversion:    ⟦1.2.3+4⟧\r\n\r\n"),
    ("a.yml", "image.tag", "image: { name: shop, tag: ⟦1.2.3⟧, x: [1.2.3] }\n"),
    ("a.yml", "image.tag", "{\"image\": {\"tag\": \"⟦1.2.3⟧\"}}"),
    (
        "a.yml",
        "a.version",
        "text: |\n  a:\n    version: 1.2.3\n😀: &x\n  version: 1.2.3\na:\n  <<: *x\n  version: ⟦1.2.3⟧\n",
    ),
    ("a.yml", "list.1.version", "list:\n- version: 1.2.3\n- version: ⟦1.2.3⟧\n"),
    ("a.yml", "version", "? version\n: ⟦1.2.3⟧\n? [a, b]\n: 1\nempty:\n"),
    ("a.yml", "version", "\u{feff}version: ⟦1.2.3⟧"),
    // INI: both separators, quotes, comments, other sections, names with dots.
    ("setup.cfg", "", "; version = 1.2.3\n[metadata]\nname = shop\nversion = ⟦1.2.3⟧\n\n[other]\nversion = 1.2.3\n"),
    ("setup.cfg", "", "[metadata]\r\nVersion:⟦1.2.3⟧\r\nlong =\r\n  a\r\n  version = 9\r\n"),
    ("a.ini", "app.version", "version=1.2.3\n[app]\nversion = \"⟦1.2.3⟧\" ; 1.2.3\n"),
    ("a.ini", "version", "\u{feff}version='⟦1.2.3⟧'#x"),
    ("a.ini", "tool.app.version", "[tool.app]\n\tother = 1\n\tversion = v⟦1.2.3⟧ # ;\n"),
    (".bumpversion.cfg", "bumpversion.current_version", "[bumpversion]\ncurrent_version = ⟦1.2.3⟧\ncommit = True"),
    // Ruby: constants, gemspecs, and what only looks like one.
    ("lib/shop/version.rb", "", "# frozen_string_literal: true\n\nmodule Shop\n  VERSION = \"⟦1.2.3⟧\"\nend\n"),
    ("lib/shop/version.rb", "", "module Shop\r\n  VERSION = '⟦1.2.3⟧'.freeze # VERSION = '1.2.3'\r\nend\r\n"),
    ("lib/shop/version.rb", "", "=begin\nVERSION = \"1\"\n=end\nShop::VERSION = '⟦1.2.3⟧'\n__END__\nVERSION = '1'\n"),
    ("version.rb", "", "VERSION = \"⟦1.2.3⟧\" unless defined?(VERSION)\nputs VERSION == \"1.2.3\"\n"),
    ("a.rb", "Shop::VERSION", "A = <<~TEXT\n  VERSION = \"1\"\nTEXT\nB = 1\nVERSION = '⟦1.2.3⟧';\n"),
    (
        "shop.gemspec",
        "",
        "Gem::Specification.new do |spec|\n  spec.required_ruby_version = \">= 3\"\n  spec.version     = \"⟦1.2.3⟧\"\nend\n",
    ),
];

#[test]
fn exactly_the_version_is_found_and_replaced_in_every_format() {
    for (name, key, text) in FILES {
        holds(&file(name, key), text);
        // Line ends are the file's.
        let (unix, windows) = (text.replace("\r\n", "\n"), text.replace("\r\n", "\n").replace('\n', "\r\n"));
        holds(&file(name, key), &unix);
        holds(&file(name, key), &windows);
    }
}

/// Texts of the table without their marks, for tests that spoil them.
pub(super) fn texts() -> impl Iterator<Item = (&'static str, &'static str, String)> {
    FILES.iter().map(|(name, key, text)| (*name, *key, text.replace(['⟦', '⟧'], "")))
}
