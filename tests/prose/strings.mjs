// Finds the texts in a source that users read.
//
// A text is {lines: [{text, line, joined}], fails}: what users see, with a neutral word where the program fills in a
// value. `line` is the line in the source. A joined line continues the line before it. `fails` is true for the message and
// the help of an error.

// Calls with text that only developers read.
const UNREAD = new Set([
  "expect", "expect_err", "panic!", "unreachable!", "unimplemented!", "todo!", "assert!", "assert_eq!", "assert_ne!",
  "debug_assert!", "debug_assert_eq!", "debug_assert_ne!", "include_str!", "include_bytes!", "env!", "option_env!",
  "Regex::new",
]);

// Attributes with text that users read.
const READ = new Set(["error", "arg", "command"]);

const FAILS = new Set(["Failure::new", "Failure::failed", "Failure::refused", "Failure::unknown", "help", "error"]);

const ATTRIBUTE = "#";

const SQL = /^\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|PRAGMA|BEGIN|COMMIT|ROLLBACK|ATTACH|WITH|VACUUM)\b/;
const SHELL = /\$[({@*0-9]|"\$|[12&]>|>&|\|\||&&|;\s*(?:then|do|done|fi|exit)\b|\[ -[a-z] |^\s*(?:exec|set -|test -|printf|echo) /;

/** Returns the texts of the file `name` with the content `source`. */
export function texts(name, source) {
  if (name.endsWith("help.txt")) return help(source);
  if (name.endsWith(".toml")) return comments(source, "#");
  if (name.endsWith(".rhai")) {
    const inTemplate = name.includes("/templates/");
    return literals(source, true).concat(inTemplate ? comments(source, "//") : []).sort(byLine);
  }
  return literals(source, false);
}

/** Returns the modules that a Rust file declares for its tests, and that are files themselves. */
export function testModules(source) {
  const declared = /#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;/g;
  return [...source.matchAll(declared)].map((found) => found[1]);
}

const byLine = (a, b) => a.lines[0].line - b.lines[0].line;

/** Returns the literals of a Rust or Rhai source that are prose. */
function literals(source, rhai) {
  const found = [];
  const open = []; // For each open bracket, the name before it.
  let line = 1;
  let at = 0;
  let last = ""; // The last name or character before `at`.
  let testItem = null; // The depth of the item for tests that `at` is in.

  const step = (length) => {
    for (const end = at + length; at < end; at += 1) if (source[at] === "\n") line += 1;
  };
  const read = () =>
    testItem === null &&
    !open.some((name) => UNREAD.has(name)) &&
    (!open.includes(ATTRIBUTE) || open.some((name) => READ.has(name)));
  const take = (body, raw, start) => {
    const fails = open.some((name) => FAILS.has(name));
    if (read()) found.push({ ...text(raw ? body : unescaped(body), start, rhai), fails });
  };

  while (at < source.length) {
    const rest = source.slice(at, at + 200);
    let match;
    if (rest.startsWith("//")) {
      const end = source.indexOf("\n", at);
      step((end < 0 ? source.length : end) - at);
    } else if (rest.startsWith("/*")) {
      let depth = 0;
      do {
        if (source.startsWith("/*", at)) (depth += 1), step(2);
        else if (source.startsWith("*/", at)) (depth -= 1), step(2);
        else step(1);
      } while (depth > 0 && at < source.length);
    } else if (!rhai && (match = /^#!?\[cfg\(test\)\]/.exec(rest))) {
      testItem ??= open.length;
      step(match[0].length);
    } else if (!rhai && (match = /^#!?\[/.exec(rest))) {
      open.push(ATTRIBUTE);
      step(match[0].length);
    } else if (!rhai && (match = /^(?:br|cr|r)(#*)"/.exec(rest))) {
      const end = source.indexOf(`"${match[1]}`, at + match[0].length);
      const start = line;
      const body = source.slice(at + match[0].length, end);
      step(end + 1 + match[1].length - at);
      take(body, true, start);
      last = '"';
    } else if ((match = rhai ? /^["`]/.exec(rest) : /^[bc]?"/.exec(rest))) {
      const quote = match[0].at(-1);
      let end = at + match[0].length;
      for (let depth = 0; end < source.length && (depth > 0 || source[end] !== quote); end += 1) {
        if (quote === '"' && source[end] === "\\") end += 1;
        else if (quote === "`" && source.startsWith("${", end)) (depth += 1), (end += 1);
        else if (depth > 0 && source[end] === "}") depth -= 1;
      }
      const start = line;
      const body = source.slice(at + match[0].length, end);
      step(end + 1 - at);
      take(body, quote === "`", start);
      last = '"';
    } else if ((match = /^b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'])'/su.exec(rest))) {
      step(match[0].length);
      last = "'";
    } else if ((match = /^[A-Za-z_](?:\w|::(?=\w))*!?/.exec(rest))) {
      last = match[0];
      step(match[0].length);
    } else {
      const char = source[at];
      if ("([{".includes(char)) open.push(last);
      if (")]}".includes(char)) open.pop();
      if ("};".includes(char) && open.length === testItem) testItem = null;
      if (!/\s/.test(char)) last = char;
      step(1);
    }
  }
  return found.filter((text) => isProse(text.lines.map((line) => line.text).join("\n")));
}

/** Replaces the escapes of a literal, and marks where the source and the text break lines differently. */
function unescaped(body) {
  return body.replace(/\\(\r?\n\s*|u\{([0-9a-fA-F_]+)\}|x([0-9a-fA-F]{2})|.)/gs, (_, char, unicode, hex) => {
    if (/^\r?\n/.test(char)) return JOINED.repeat(char.split("\n").length - 1);
    if (unicode || hex) return String.fromCodePoint(parseInt(unicode ?? hex, 16));
    return { n: BREAK, t: " ", r: "", 0: "" }[char] ?? char;
  });
}

const JOINED = "\u0001"; // A line break of the source, but not of the text.
const BREAK = "\u0002"; // A line break of the text, but not of the source.

function text(body, start, rhai) {
  const filled = rhai ? body.replace(/\$\{[^}]*\}/g, filling) : format(body);
  const lines = [{ text: "", line: start }];
  let line = start;
  for (const char of filled) {
    if (char === "\n") lines.push({ text: "", line: (line += 1) });
    else if (char === BREAK) lines.push({ text: "", line });
    else if (char === JOINED) lines.push({ text: "", line: (line += 1), joined: true });
    else lines.at(-1).text += char;
  }
  return { lines };
}

/** Replaces each `{…}` of a format by a neutral word. */
function format(body) {
  return body
    .replace(/\{\{|\}\}/g, (braces) => (braces === "{{" ? "\u0003" : "\u0004"))
    .replace(/\{(?:[A-Za-z_][\w.]*|\d+)?(?::[^{}\s]*)?\}/g, filling)
    .replace(/\u0003/g, "{")
    .replace(/\u0004/g, "}");
}

/** Returns a neutral word, or nothing for the end of a word, such as a plural's. */
function filling(_, ...rest) {
  const [at, whole] = rest.slice(-2);
  return /\w/.test(whole[at - 1] ?? " ") ? "" : "X";
}

function isProse(text) {
  if (SQL.test(text) || SHELL.test(text)) return false;
  const plain = text.replace(/`[^`]*`/g, " ");
  // Many words without one of these are a list, or another program's configuration.
  if (plain.split(/\s+/).length > 15 && !/\b(?:an?|the|of|to|is|are|and|or|with|it)\b/.test(plain)) return false;
  return /(?:^|[\s(“"])[a-z][a-z'’-]*[,;:]?\s+(?:\S+\s+)*?[a-z][a-z'’-]+(?=$|[\s.,;:!?)”"])/.test(plain);
}

/** Returns the comments of a file that users get. Neighboring lines are one text. */
function comments(source, mark) {
  const found = [];
  let current = null;
  source.split("\n").forEach((whole, index) => {
    // A key that is commented out isn't prose, but a comment can follow it.
    if (mark === "#") whole = whole.replace(/^\s*#(?=\s*(?:[\w.]+\s*=|\[))/, "=");
    const start = whole.search(mark === "#" ? /(?:^|\s)#+(?=\s)/ : /(?:^|\s)\/\/[/!]?(?=\s)/);
    const said = start < 0 ? "" : whole.slice(start).replace(/^\s*(?:#+|\/\/[/!]?)\s*/, "");
    if (said === "") return void (current = null);
    const alone = whole.slice(0, start).trim() === "";
    if (current && alone) current.lines.push({ text: said, line: index + 1, joined: true });
    else found.push((current = { lines: [{ text: said, line: index + 1 }] }));
    if (!alone) current = null;
  });
  return found;
}

/** Returns the texts of `--help`: the help of each flag, each row and each paragraph. */
function help(source) {
  const found = [];
  let column = null;
  let current = null;
  source.split("\n").forEach((whole, index) => {
    const line = index + 1;
    const row = /^(\s+(?:-|\d).*?\s{2,})(\S.*)$/.exec(whole);
    if (row) {
      column = row[1].length;
      found.push((current = { lines: [{ text: row[2], line }] }));
    } else if (whole.trim() === "" || /^(?:\S.*:|Usage: .*)$/.test(whole)) {
      column = current = null;
    } else if (current && (column === null || whole.search(/\S/) === column)) {
      current.lines.push({ text: whole.trim(), line, joined: true });
    } else {
      column = null;
      found.push((current = { lines: [{ text: whole.trim(), line }] }));
    }
  });
  return found;
}
