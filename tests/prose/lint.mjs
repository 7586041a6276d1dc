// Lints the pages and the texts of the program. `check` runs this file.
import { createRequire } from "node:module";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { headings, lineLengths, sentences, wordRules } from "./rules.mjs";
import { testModules, texts } from "./strings.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const top = resolve(here, "../..");
const packages = createRequire(join(top, "target/prose/package.json"));
const rule = (module) => module.default ?? module;
const { TextlintKernel } = packages("@textlint/kernel");
const markdown = rule(packages("@textlint/textlint-plugin-markdown"));

const STYLE = "docs/STYLE.md";
const style = readFileSync(join(top, STYLE), "utf8");
const words = wordRules(style);

const everywhere = { checkLink: true, checkBlockQuote: true, checkEmphasis: true };
const every = [
  ["words", rule(packages("textlint-rule-prh")), { ruleContents: [words.prh], ...everywhere }],
  ["sentence", sentences],
];
const pages = [...every, ["heading", headings], ["line", lineLengths]];

const kernel = new TextlintKernel();

async function lint(text, rules) {
  const { messages } = await kernel.lintText(text, {
    ext: ".md",
    plugins: [{ pluginId: "markdown", plugin: markdown }],
    rules: rules.map(([ruleId, rule, options]) => ({ ruleId, rule, options })),
  });
  return messages.map(({ ruleId, message, line }) => ({ line, ...worded(ruleId, message) }));
}

/** Words a finding. A message of prh has the form `found => instead`, and below it where the rule comes from. */
function worded(rule, message) {
  if (rule !== "words") return { rule, message };
  const [, found, written, from, line] = /^([^]*) => ([^]*)\n(\w+) (\d+)$/.exec(message);
  const instead = written === "nothing" ? "leave it out" : written.startsWith("rewrite") ? written : `write ${written}`;
  const where = from === "words" ? ` (${STYLE}:${line})` : "";
  return { rule: from, message: `“${found.replace(/\s+/g, " ")}”: ${instead}${where}` };
}

/** Reads a page. The guide's tables and italics are left out, because they show what not to write. */
function page(name) {
  const text = readFileSync(join(top, name), "utf8");
  if (name !== STYLE) return text;
  const italics = /\*[^*\n]+(?:\n[^*\n]+)?\*/g;
  return text.replace(/^\|.*$/gm, "").replace(italics, (found) => "X" + found.replace(/[^\n]/g, ""));
}

/** Makes a page from the texts of a source, a paragraph for each. `from` has the line of the source for each line. */
function told(name) {
  const lines = [];
  const from = [];
  const full = [];
  for (const { lines: text, fails } of texts(name, readFileSync(join(top, name), "utf8"))) {
    let before = "";
    for (const { text: one, line, joined } of text) {
      const wrapped = joined || (before.length > 60 && /^\S/.test(one) && line === from.at(-1) + 1);
      if (!wrapped) (lines.push(""), from.push(line));
      lines.push(one.trim().replace(/^[-+#>|=*\d]/, "\\$&").replaceAll("<", "("));
      from.push(line);
      before = one;
    }
    const last = text.at(-1);
    if (fails && /[^.]\.$/.test(last.text)) {
      const message = "an error's message and help don't end with a full stop";
      full.push({ line: last.line, rule: "full stop", message });
    }
  }
  return { text: lines.join("\n"), from, full };
}

async function findings(name) {
  if (name.endsWith(".md")) return lint(page(name), pages);
  const { text, from, full } = told(name);
  const found = await lint(text, every);
  return found.map((one) => ({ ...one, line: from[one.line - 1] ?? 1 })).concat(full);
}

const slashed = (path) => relative(top, path).split(sep).join("/");

function* walk(path) {
  if (!statSync(path).isDirectory()) return void (yield slashed(path));
  for (const entry of readdirSync(path).sort()) yield* walk(join(path, entry));
}

/** Tells whether users read the file, or texts in it. */
function read(name) {
  if (name.endsWith(".md")) return name.startsWith("docs/") || !name.includes("/");
  if (name.startsWith("stdlib/")) return name.endsWith(".rhai");
  // The demo's balancer prints what HAProxy prints.
  if (!name.startsWith("src/") || name.startsWith("src/demo/balancer/")) return false;
  if (name.startsWith("src/init/templates/")) return true;
  return name === "src/cli/help.txt" || (name.endsWith(".rs") && !ofTests(name));
}

/** Tells whether a Rust file, or a folder above it, is a module that only the tests have. */
function ofTests(name) {
  const folder = dirname(name);
  const module = name.slice(folder.length + 1, -".rs".length);
  if (module === "tests" || !name.includes("/")) return module === "tests";
  const parents = module === "mod" ? [] : [join(folder, "mod.rs"), join(folder, "lib.rs"), `${folder}.rs`];
  if (parents.some((parent) => modules(parent).includes(module))) return true;
  return ofTests(`${folder}.rs`);
}

const known = new Map();
function modules(name) {
  const path = join(top, name);
  if (!known.has(name)) known.set(name, existsSync(path) ? testModules(readFileSync(path, "utf8")) : []);
  return known.get(name);
}

/** Compares the texts found in the sample with its marks. */
function sample() {
  const name = "tests/prose/sample.rs";
  const file = `${name}.txt`;
  const source = readFileSync(join(top, file), "utf8");
  const taken = new Set(texts(name, source).map(({ lines }) => lines[0].line));
  return source.split("\n").flatMap((text, index) => {
    const line = index + 1;
    if (taken.has(line) === text.endsWith("// read")) return [];
    return [{ file, line, message: "`strings.mjs` is wrong about this line" }];
  });
}

const everything = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs", "src", "stdlib"];
const args = process.argv.slice(2);
const asked = args.length > 0 ? args.map((arg) => resolve(arg)) : everything.map((name) => join(top, name));
for (const path of asked.filter((path) => !existsSync(path))) {
  console.error(`${path} doesn't exist`);
  process.exit(2);
}
const names = [...new Set(asked.flatMap((path) => [...walk(path)]))].filter(read);

const all = [...words.wrong, ...sample()];
const locked = readFileSync(join(here, "package-lock.json"), "utf8").split("\n");
for (const [index] of [...locked.entries()].filter(([, text]) => text.includes('"resolved"'))) {
  const message = "names a registry, although `.npmrc` tells npm not to";
  all.push({ file: "tests/prose/package-lock.json", line: index + 1, message });
}
for (const name of names) {
  const found = await findings(name);
  all.push(...found.sort((a, b) => a.line - b.line).map((one) => ({ file: name, ...one })));
}
for (const { file, line, message, rule } of all) console.log(`${file}:${line}: ${message}${rule ? ` [${rule}]` : ""}`);
console.error(`prose: ${names.length} files, ${all.length} findings`);
process.exit(all.length > 0 ? 1 : 0);
