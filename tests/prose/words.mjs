// How the linter finds the phrases of docs/STYLE.md in a text.
//
// It finds a phrase of the guide's tables as it stands, unless this file has a pattern for it, or a reason why no
// pattern can tell a slip from good English. A pattern must match its `hits` and must not match what is `fine`.

const not = (reason) => ({ reason });
const verb = (...forms) => new RegExp(`\\b(?:${forms.join("|").replaceAll(" ", "\\s+")})\\b`);

/** The phrases of the columns "Not" and "Don't write", spelled as in the tables. */
export const phrases = {
  // Terms
  "take back": {
    pattern: verb("tak(?:e|es|en|ing) back", "took back"),
    hits: ["it is taken back"],
    fine: ["the way back"],
  },
  "give up": not("what rfab does after the last try"),
  proxy: not("what runs in front of an app"),
  empty: not("what has nothing in it"),
  "take off": { pattern: verb("tak(?:e|es|en|ing) off", "took off"), hits: ["took off the host"] },
  rehearsal: { pattern: /\brehears(?:als?|e[ds]?|ing)\b/, hits: ["rehearsed"] },
  config: not("HAProxy's and ssh's"),
  look: not("what a reader does, too"),
  "ask for its health": {
    pattern: /\bask(?:s|ed|ing)?\s+for\s+(?:its|their)\s+health\b/,
    hits: ["asked for its health"],
  },
  box: { pattern: /\bbox(?:es)?\b/, hits: ["two boxes"] },
  node: { pattern: /\bnodes?\b/, hits: ["each node"] },
  in: not("a preposition"),
  away: not("an adverb"),
  "in service": { pattern: /\bin\s+service\b/, hits: ["it is in service"], fine: ["in services"] },
  hold: not("what a lock's holder does"),
  claim: { pattern: /\bclaim(?:s|ed|ing)?\b/, hits: ["claimed by"] },
  "bring in": {
    pattern: verb("br(?:ing|ings|ought|inging) (?:\\w+ )?(?:back )?in(?! (?:a|the)\\b)"),
    hits: ["brought in", "bring web1 back in"],
    fine: ["bring in the log"],
  },
  "ready it": { pattern: /\bread(?:y|ies)\s+it\b/, hits: ["ready it"] },
  deployment: { pattern: /\bdeployments?\b/, hits: ["a deployment"] },
  "go on with": { pattern: verb("go(?:es|ing|ne)? on with", "went on with"), hits: ["goes on with"] },
  "take up": { pattern: verb("tak(?:e|es|en|ing) up", "took up"), hits: ["took up"], write: "resume, trust or start" },
  "go back": {
    pattern: verb("(?:go(?:es|ing|ne)? back|went back)(?! to (?:drain|maint))"),
    hits: ["hosts go back to their old releases"],
    fine: ["it goes back to drain"],
  },
  go: not("a verb of plain English"),
  "attempt (an *attempt* is one try of a run)": not("one try of a run"),
  "effect (only in the source)": not("what a change has"),
  action: not("GitHub's"),
  command: not("what a host runs"),
  job: not("what CI runs"),
  words: not("what a line is made of"),
  sentence: not("what a text is made of"),
  "take up a key": { pattern: verb("tak(?:e|es|en|ing) up (?:\\w+ ){0,2}keys?", "took up (?:\\w+ ){0,2}keys?") },
  "believe a host": {
    pattern: verb("believ(?:e|es|ed|ing) (?:(?:a|the|this|that|its|every|each) )?hosts?"),
    hits: ["it believes the host"],
  },

  // Words and phrases we don't use
  "is no …": {
    pattern: /(?<!\bthere\s+)\b(?:is|are|was|were)\s+no\s+(?!longer\b|more\b|less\b|fewer\b|one\b|doubt\b)(?=\w)|(?<!\bthere\s+)\b(?:is|are|was|were)\s+no(?=\s*$)/,
    hits: ["it is no host", "they are no tasks of it"],
    fine: ["is no longer", "there is no host", "is not"],
  },
  "is none": { pattern: /(?<!\bthere\s+)\b(?:is|are|was|were)\s+none\b(?!\s+at\b)/, hits: ["it is none of these"] },
  "nobody knows": { pattern: /\bnobody\s+(?:knows|knew|can\s+know)\b/, hits: ["nobody knows whether"] },
  "it is not known": {
    pattern: /\b(?:is|are|was|were)(?:\s+not|n['’]t)\s+known\b(?=\s+(?:whether|if|how|what|which|when|where|to\b))|\bit\s+(?:is\s+not|isn['’]t)\s+known\b/,
    hits: ["it isn't known", "is not known to be"],
  },
  "goes on": { pattern: verb("go(?:es|ing|ne)? on", "went on"), hits: ["the run goes on"] },
  "the one of": { pattern: /\bthe\s+ones?\s+of\b/, hits: ["as the one of web1"] },
  "where … is at home": { pattern: /\b(?:is|are|was)\s+at\s+home\b/, hits: ["where it is at home"] },
  "says (of a program that prints)": {
    pattern: /\b(?:rfab|git|ssh|sshd|scp|sudo|sh|bash|tar|systemctl|systemd|HAProxy|haproxy|Rhai|curl|openssl|OpenSSH|program|command|unit|balancer|proxy|socket|hosts?)(?:\s+itself)?\s+(?:says?|said)\b(?!\s+so\b)/,
    hits: ["git says", "the balancer says it"],
    fine: ["the person says", "the ledger says", "rfab says so"],
  },
  "at once (for *together*)": {
    pattern: /\b(?:hosts|servers|groups|pools|fleets|runs|all|both|several|many|most|two|three|\d+)\b[^.;:]{0,24}\bat\s+once\b(?!\s+or\s+not)/,
    hits: ["at most N hosts at once", "all of them at once"],
    fine: ["it ends at once", "both make it at once or not at all"],
  },
  "also (for *even*)": {
    pattern: /,\s+also\s+(?:if|when|while|after|before|in|with|without|of|from|during|those|the)\b/,
    hits: ["it runs, also if the task fails", "the rules, also those of the fleet"],
    fine: ["it also runs", "it runs, even if the task fails"],
  },
  whose: {
    pattern: /\bwhose\b(?!\s+(?:it|they|this|that|these|those)\s+(?:is|are|was|were)\b)/,
    hits: ["a host whose key is new"],
    fine: ["rfab tells you whose it is"],
  },
  just: { pattern: /\bjust\b(?!\s+as\b)/, hits: ["it just runs"], fine: ["just as it never does"] },
  "e.g.": { pattern: /\be\.g\b/ },
  "i.e.": { pattern: /\bi\.e\b/ },
  "etc.": { pattern: /\betc\b(?!\/)/, fine: ["in etc/rfab"] },
};

/** Patterns for what the rest of docs/STYLE.md asks for, each list under the words that ask for it. */
export const said = {
  "If you must negate, use *isn't*, *doesn't* and *can't*": [
    [/\b(is|are|was|were|do|does|did|has|have|had|could|would|should)\s+not\b(?!\s+(?:only|just)\b)/, "$1n't"],
    [/\b(?:cannot|can\s+not)\b/, "can't"],
    [/\bwill\s+not\b/, "won't"],
  ],
  "the present tense": [[/\b(?:will|shall)\b(?!\s+not\b)/, "the present tense"]],
  "American English": [
    [/\b(behavi|col|fav|harb|hon|hum|lab|neighb|endeav|flav|rum|vap)our/, "$1or"],
    [/\b(cent|fib|lit|met|theat|calib)re(s?)\b/, "$1er$2"],
    [/\b(cancel|label|travel|model|signal|channel|level|tunnel|marshal|total|equal|fuel|dial)l(ed|ing|er|ers)\b/, "$1$2"],
    [
      /\b(organ|recogn|initial|author|normal|optim|minim|maxim|summar|custom|serial|synchron|final|util|general|categor|apolog|emphas|visual|real|special|standard|priorit|sanit|token|random|central|capital|character|critic)is(e|es|ed|er|ers|ing|ation|ations)\b/,
      "$1iz$2",
    ],
    [/\b(anal|paral)ys(e|es|ed|er|ing)\b/, "$1yz$2"],
    [/\b(defen|offen)ce\b/, "$1se"],
    [/\blicence(s?)\b/, "license$1"],
    [/\bcatalogue(s?)\b/, "catalog$1"],
    [/\bprogramme(s?)\b/, "program$1"],
    [/\bgrey\b/, "gray"],
    [/\bwhilst\b/, "while"],
    [/\bamongst\b/, "among"],
    [/\b(to|back|up|down|after)wards\b/, "$1ward"],
    [/\blearnt\b/, "learned"],
    [/\bspelt\b/, "spelled"],
    [/\bjudgement(s?)\b/, "judgment$1"],
    [/\bcheque(s?)\b/, "check$1"],
  ],
};
