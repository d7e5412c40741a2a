// Lists steps without a name: commits, publications, claims, reports, acknowledgements, uploads, writes of
// the step channel, git refs, and what is sent to webhooks and the webapp. `npm run chaos -- --points` ends
// the process at each of them.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../lib/root.ts";

interface Kind {
  /** The rule to follow instead. */
  rule: string;
  /** Up to the parenthesis or name that makes it such a step. */
  call: RegExp;
  in: RegExp;
  except?: RegExp;
}

/**
 * Scripts of Redis that only read, or only extend a lease: to end before or after them is to end between two
 * steps.
 */
const READS = "ATTACHED|CHECK_EPOCH|INFO|KNOWN|READ_REPORTS|RENEW_LEASES|RENEW_REBUILD|STOP_READING|TIDY";

const KINDS: readonly Kind[] = [
  {
    rule: 'commit(records, "<name>", …) of records/commit.ts',
    call: /\.transaction\(/g,
    in: /^broker\/src\//,
    // The adapters, and readTogether(), which writes nothing.
    except: /^broker\/src\/records\//,
  },
  {
    rule: 'markedStep("publish.<name>", () => …)',
    call: /\b(?:queue\s*\??\.publish|host\s*\.(?:publish|mirror))\(/g,
    in: /^broker\/src\//,
  },
  {
    rule: 'markedStep("report.<name>", () => …)',
    call: /\bqueue\s*\??\.report\(/g,
    in: /^(?:broker|grader)\/src\//,
  },
  {
    rule: 'markedStep("upload.<name>", () => …)',
    call: /\.(?:planUpload|finishUpload|putPart)\(|\b(?:objects|store)\s*\.put\(/g,
    in: /^(?:broker|grader)\/src\/|^shared\/src\/objects\/object-request\.ts$/,
    // Writes to a folder of its own, on the machine of the organizer.
    except: /^grader\/src\/startup\/try-code\.ts$/,
  },
  {
    rule: 'markedStep("queue.<name>", () => …)',
    call: new RegExp(
      `\\brunScript\\(client, base, (?!(?:${READS}|script)\\b)|\\brun\\((?!(?:${READS})\\b)[A-Z]|\\.x(?:add|ack|del)\\(`,
      "g",
    ),
    in: /^shared\/src\/queue\/redis\/(?!script\.ts)/,
  },
  {
    rule: 'markedStep("channel.<name>", () => …)',
    call: /\brun\((?!REFRESH\b)[A-Z]|\bclient\.(?:del|set|[lrsh](?:push|set|add|rem))\(|\bjournal\.append\(|\bjournals\.remove\(/g,
    in: /^shared\/src\/step-channel\//,
  },
  {
    rule: 'markedStep("refs.<name>", () => …)',
    call: /\bgit\s*\.(?:must|run)\(\s*\[\s*"(?:update-ref|symbolic-ref|branch|tag|fetch)"/g,
    in: /^broker\/src\//,
  },
  {
    rule: 'markedStep("claim.<name>", () => …)',
    call: /(?<!function )\bclaim(?:[A-Z]\w*)?\(/g,
    in: /^broker\/src\/background\//,
  },
  {
    rule: 'markedStep("send.<name>", () => …)',
    call: /(?<!function )\bpostMessage\(|\bcalls\s*\.(?:create|update)\(/g,
    in: /^broker\/src\/background\/(?:webhooks|webapp)\//,
  },
];

/** The code that may stand between the name of a step and its call. */
const NAMED =
  /markedStep\(\s*"([a-z]+(?:[.-][a-z]+)*)",\s*(?:async )?\(\) =>\s*(?:connection\.use\(\(client\) =>\s*)?(?:[\w]+\s*\??\.\s*)*[\w]*$/;
const COMMIT = /\bcommit\(\s*[\w.]+,\s*"([a-z]+(?:-[a-z]+)*)",/g;
const STEP = /\bmarkedStep\(\s*"([a-z]+(?:[.-][a-z]+)*)",/g;

/** Returns `path:line: rule` for each step of the text that has no name. */
export function unmarkedSteps(path: string, text: string): string[] {
  return KINDS.filter((kind) => kind.in.test(path) && !kind.except?.test(path)).flatMap(({ call, rule }) =>
    [...text.matchAll(call)]
      .filter(({ index }) => !NAMED.test(text.slice(Math.max(0, index - 300), index)))
      .map(({ index }) => `${path}:${text.slice(0, index).split("\n").length}: use ${rule}`),
  );
}

/** Returns the names of the steps in the text. */
export function stepNames(text: string): string[] {
  return [
    ...[...text.matchAll(COMMIT)].map(([, name]) => `commit.${name}`),
    ...[...text.matchAll(STEP)].map(([, name]) => name!),
  ];
}

/** Reads the sources of the servers. */
export function readSteps(): { names: string[]; problems: string[] } {
  const folders = ["broker/src", "grader/src", "shared/src"];
  const files = execFileSync("git", ["ls-files", "-z", "--", ...folders], { cwd: root, encoding: "utf8" })
    .split("\0")
    .filter(
      (file) => /\.tsx?$/.test(file) && !/\.(?:test|contract)\.tsx?$|\/(?:testing|contract)\//.test(file),
    );
  const names: string[] = [];
  const problems: string[] = [];
  for (const file of files) {
    const text = readFileSync(join(root, file), "utf8");
    problems.push(...unmarkedSteps(file, text));
    for (const name of stepNames(text)) {
      if (names.includes(name)) problems.push(`${file}: the name ${name} is used twice`);
      names.push(name);
    }
  }
  return { names: names.sort(), problems };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { problems } = readSteps();
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
