// The rules: those from the tables of docs/STYLE.md, for prh, and rules for what else the guide asks for.
import { phrases, said } from "./words.mjs";

/**
 * Makes rules of prh from the style guide, whose text is `style`. Returns them with what is `wrong`: findings about
 * phrases on which the guide and `words.mjs` don't agree.
 */
export function wordRules(style) {
  const rules = [];
  const wrong = [];
  const differ = (message) => wrong.push({ file: "tests/prose/words.mjs", line: 1, message });
  const there = new Set();
  for (const { phrase, write, line } of table(style)) {
    there.add(phrase);
    const { reason, pattern = literal(phrase), hits = [], fine = [], write: instead = write } = phrases[phrase] ?? {};
    if (reason) continue;
    if (/[…(*]/.test(phrase) && !phrases[phrase]) {
      wrong.push({ file: "docs/STYLE.md", line, message: `tests/prose/words.mjs needs a pattern for “${phrase}”` });
      continue;
    }
    const found = new RegExp(pattern.source, "i");
    const examples = hits.filter((text) => !found.test(text)).concat(fine.filter((text) => found.test(text)));
    for (const text of examples) {
      differ(`the pattern of “${phrase}” is wrong about “${text}”`);
    }
    rules.push({ expected: instead, pattern: `/${pattern.source}/i`, prh: `words ${line}` });
  }
  for (const phrase of Object.keys(phrases).filter((phrase) => !there.has(phrase))) {
    differ(`no table of docs/STYLE.md has “${phrase}”`);
  }
  const plain = style.replace(/\s+/g, " ");
  for (const [sentence, patterns] of Object.entries(said)) {
    if (!plain.includes(sentence)) {
      differ(`docs/STYLE.md doesn't have “${sentence}”`);
    }
    for (const [pattern, expected] of patterns) {
      rules.push({ expected, pattern: `/${pattern.source}/i`, prh: "voice 0" });
    }
  }
  return { prh: JSON.stringify({ version: 1, rules }), wrong };
}

/** Matches a phrase as it stands, also where a line ends between two words. */
function literal(phrase) {
  const words = phrase.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+");
  return new RegExp(`\\b${words}\\b`);
}

/** Yields each phrase that the tables forbid, with what to write instead and its line in the guide. */
function* table(style) {
  let columns = null;
  for (const [index, text] of style.split("\n").entries()) {
    if (!text.startsWith("|")) {
      columns = null;
      continue;
    }
    const cells = text.split("|").slice(1, -1).map((cell) => cell.trim());
    if (columns === null) {
      const not = cells.findIndex((cell) => cell === "Not" || (cell === "Don't write" && cells[0] === cell));
      columns = { not, write: not === 0 ? 1 : 0 };
    } else if (columns.not >= 0 && !/^-+$/.test(cells[0])) {
      // A comma inside parentheses or between dots belongs to the phrase.
      for (const part of cells[columns.not].replace(/\([^)]*\)/g, (all) => all.replaceAll(",", "\u0001")).split(",")) {
        const phrase = part.replaceAll("\u0001", ",").trim().replace(/^\((?:an? )?(.*)\)$/, "$1");
        if (phrase) yield { phrase, write: cells[columns.write], line: index + 1 };
      }
    }
  }
}

// Names keep their capital in a heading.
const NAMES = new Set(
  [
    "Actions Ansible Bash Capistrano Debian Deployer Docker English Fabric Git Go Jenkins Jinja Linux Mina Node Python",
    "Rhai Ruby Rust Sidekiq Ubuntu Unix",
  ].flatMap((names) => names.split(" ")),
);

/** A heading is in sentence case and has no full stop. */
export function headings(context) {
  const { Syntax, RuleError, report, getSource } = context;
  return {
    [Syntax.Header](node) {
      const text = getSource(node).replace(/^#+\s*/, "").replace(/`[^`]*`/g, "x").replace(/\]\([^)]*\)/g, "]");
      if (/[^.]\.\s*$/.test(text)) report(node, new RuleError("a heading has no full stop"));
      const words = text.split(/[.:?!]\s+/).flatMap((part) => part.split(/\s+/).slice(1));
      const capital = words.find((word) => {
        const bare = word.replace(/^[^\p{L}\p{N}]+|(?:['’]s)?[^\p{L}]*$/gu, "");
        return /^\p{Lu}\p{Ll}+$/u.test(bare) && !NAMES.has(bare);
      });
      if (capital) report(node, new RuleError(`a heading is in sentence case: \`${capital}\``));
    },
  };
}

/** A line of prose has at most 120 characters. Tables, code and addresses may be longer. */
export function lineLengths(context) {
  const { Syntax, RuleError, report, getSource } = context;
  return {
    [Syntax.Paragraph](node) {
      let index = 0;
      for (const line of getSource(node).split("\n")) {
        const length = [...line].length + (index === 0 ? node.loc.start.column : 0);
        if (length > 120 && !/\S{80}/.test(line)) {
          report(node, new RuleError(`the line has ${length} characters, and 120 are the most`, { index }));
        }
        index += line.length + 1;
      }
    },
  };
}

const WORDS = 30;

/** A sentence has at most 30 words. Code counts as one word. */
export function sentences(context) {
  const { Syntax, RuleError, report } = context;
  // A full stop ends a sentence, even if a name in lower case follows. A cell of a table may be a list with semicolons.
  const sentence = /\S(?:(?![.!?][)"'”’*]*\s)[^])*[.!?]?/g;
  const part = /\S(?:(?![.!?;][)"'”’*]*\s)[^])*[.!?;]?/g;
  const check = (pattern) => (node) => {
    const { text, leaves } = plain(node);
    for (const { 0: words, index: start } of text.matchAll(pattern)) {
      const count = words.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
      if (count <= WORDS) continue;
      const leaf = leaves.findLast(({ at }) => at <= start);
      const index = leaf.source - node.range[0] + Math.min(start - leaf.at, leaf.length);
      report(node, new RuleError(`the sentence has ${count} words, and ${WORDS} are the most`, { index }));
    }
  };
  return { [Syntax.Paragraph]: check(sentence), [Syntax.TableCell]: check(part) };
}

/** Returns the text of a node, and where each part of it starts in the source. */
function plain(node) {
  const leaves = [];
  let text = "";
  const add = (leaf, part) => {
    leaves.push({ at: text.length, source: leaf.range[0], length: leaf.range[1] - leaf.range[0] - 1 });
    text += part;
  };
  const visit = (part) => {
    if (part.type === "Code") add(part, "code");
    else if (part.type === "Break") add(part, "\n");
    else if (part.children) part.children.forEach(visit);
    else if (part.type === "Str") add(part, part.value);
  };
  visit(node);
  return { text, leaves };
}
