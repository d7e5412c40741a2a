// `node scripts/check/banned-words.ts [path …]`: lists words that a reader would have to learn, and what to
// write instead. CONTRIBUTING.md, "How we write", gives the reasons.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../lib/root.ts";

interface BannedWord {
  pattern: RegExp;
  instead: string;
  /**
   * A line that matches is left alone: the word is a field, a column or a stored value there, or has its
   * plain meaning.
   */
  except?: RegExp;
}

const BANNED_WORDS: readonly BannedWord[] = [
  { pattern: /\banew\b/i, instead: "again, re-" },
  {
    pattern: /\bwhoever\b|\bsomebody\b|\bnobody\b/i,
    instead: "the participant, the client, users who …, no one",
  },
  {
    pattern: /(?<!\bthere )\b(is|are) no (?!longer\b|more\b|less\b)[a-z]+/i,
    instead: "is not a …, there is no …",
  },
  { pattern: /\b(is|are|was|were|be|been|being) told\b/i, instead: "is reported, sent, shown" },
  {
    pattern: /\bhand(s|ed|ing)? (in|back|over)\b|\bhand-ins?\b|\bin hand\b/i,
    instead: "submit, return to the queue, running",
  },
  { pattern: /\bmak(e|es|ing) way\b/i, instead: "is replaced" },
  { pattern: /\bgo(es)? along\b|\btaken? along\b/i, instead: "is included" },
  { pattern: /\bpatiently\b/i, instead: "retry until ready" },
  { pattern: /\breleasers?\b/i, instead: "disposables, shutdown steps" },
  {
    pattern: /\bplaces? in (the )?line\b|\b(puts?|stands?|waits?|waiting) in line\b/i,
    instead: "queue, queue position",
  },
  { pattern: /\bdut(y|ies)\b/i, instead: "scheduler, scheduled jobs" },
  { pattern: /\bkeepers?\b|\bkept-files\b/i, instead: "stored, artifacts" },
  { pattern: /\b(MOST|LONGEST|LEAST|FEWEST)_[A-Z]/, instead: "MAX_, MIN_" },
  { pattern: /\bwish(es)?\b/i, instead: "publish request, choice", except: /publish_wishes/ },
  { pattern: /\bproven\b/i, instead: "verified" },
  { pattern: /\bfilms?\b/i, instead: "video" },
  { pattern: /organis(e|er|ers|ation|ations|ed|ing)\b/i, instead: "organizer, organize" },
  {
    pattern: /colour|behaviour|neighbour|favour|honour/i,
    instead: "American spelling",
    // An option of sharp's.
    except: /colours: \d/,
  },
  {
    pattern: /\blicen(ce|ces|ced)\b/i,
    instead: "license",
    except: /licence["']?\s*[:,})=\]]|\.licence|licence_|\/agreement\/|["'`]licence/,
  },
  {
    pattern:
      /(recogn|summar|normal|initial|serial|author|optim|final|synchron|minim|maxim|custom|sanit|categor|visual)is(e|es|ed|er|ing|ation)\b/i,
    instead: "-ize",
  },
  {
    pattern: /(\/\*\*|\/\/) (What|Whoever|Who|The same (as|by|for|in|of|on|while|,))\b/,
    instead: "a comment that begins with a verb, or with the noun that the code is",
  },
  { pattern: /\b(cancelation|travelled|modelled|labelled|signalled)\b/i, instead: "American spelling" },
];

const CHECKED = /\.(ts|tsx|mjs|js|py|md|css|html|sh|yml)$/;
/** Migrations and the agreed license text must not change; a changelog may name what it replaced. */
const UNCHECKED = /\/migrations\/\d|\/mit-license\.ts$|^CHANGELOG\.md$|^scripts\/check\/banned-words/;

/** Returns one line a banned word of the text, in the form `path:line: "word": write …`. */
export function findBannedWords(path: string, text: string): string[] {
  const found: string[] = [];
  text.split("\n").forEach((line, index) => {
    for (const { pattern, instead, except } of BANNED_WORDS) {
      const word = line.match(pattern)?.[0];
      if (word && !except?.test(line)) found.push(`${path}:${index + 1}: "${word}": write ${instead}`);
    }
  });
  return found;
}

/** Checks the files that git tracks below the given paths; all of them when none is given. */
export function bannedWordsIn(paths: readonly string[] = []): string[] {
  const files = execFileSync("git", ["ls-files", "-z", "--", ...paths], { cwd: root, encoding: "utf8" });
  return files
    .split("\0")
    .filter((file) => CHECKED.test(file) && !UNCHECKED.test(file))
    .flatMap((file) => findBannedWords(file, readFileSync(join(root, file), "utf8")));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = bannedWordsIn(process.argv.slice(2));
  for (const line of found) console.log(line);
  if (found.length > 0) console.log(`\n${found.length} words to replace.`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
