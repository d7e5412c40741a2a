import { createHash } from "node:crypto";

/** The content of a submission's commit, besides the tree. */
export interface FinalCommit {
  tree: string;
  /** The previous commit on the main branch. */
  parent: string | null;
  /** Text of the client's commit, which provides the author and further trailers. */
  snapshot: string;
  /** The member of a team who made the submission, and is its author. */
  member?: string | null;
  /** The submission's message; null means the snapshot's message, unless it is that of another submission. */
  message: string | null;
  at: Date;
  /** In order; null values are left out. */
  trailers: readonly (readonly [string, string | number | null])[];
}

const COMMITTER = "crowdAI <broker@crowdai.invalid>";
const FALLBACK_NAME = "participant";
const FALLBACK_EMAIL = "participant@crowdai.invalid";
const AUTHOR = /^([^<>\n]*) <([^<>\n]*)> (\d{1,12}) ([+-]\d{4})$/;
const TRAILER = /^[A-Za-z][A-Za-z0-9-]*: \S/;

/**
 * Returns the text of the commit on main. Equal records give equal text, so that all brokers make the same
 * commit.
 */
export function finalCommitText({
  tree,
  parent,
  snapshot,
  member,
  message,
  at,
  trailers,
}: FinalCommit): string {
  const { author, subject, kept } = readSnapshot(snapshot, member ?? null);
  const id = trailers.find(([name]) => name === "Submission")?.[1];
  const of = kept.find((line) => /^crowdai-submission: /i.test(line))?.replace(/^\S+ /, "");
  const isOfAnother = id !== undefined && of !== undefined && of !== id;
  const ours = trailers
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${oneLine(String(value))}`);
  // Clients cannot set the trailers that the broker writes.
  const names = new Set(trailers.map(([name]) => name.toLowerCase()));
  const theirs = kept
    .map((line) => line.replace(/^crowdai-/i, ""))
    .filter((line) => !names.has(line.slice(0, line.indexOf(":")).toLowerCase()));
  const seconds = Math.floor(at.getTime() / 1000);
  return [
    `tree ${tree}`,
    ...(parent === null ? [] : [`parent ${parent}`]),
    `author ${author ?? `${member ? authorName(member) : FALLBACK_NAME} <${FALLBACK_EMAIL}> ${seconds} +0000`}`,
    `committer ${COMMITTER} ${seconds} +0000`,
    "",
    (message && plainText(message)) || (isOfAnother ? `Submission ${id}` : subject),
    "",
    ...ours,
    ...theirs,
    "",
  ].join("\n");
}

/** Returns the name that git gives an object. */
export function objectName(type: "commit" | "tree" | "blob", content: string | Uint8Array): string {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return createHash("sha1").update(`${type} ${bytes.length}\0`).update(bytes).digest("hex");
}

/** Reads author, message and trailers of the client's commit. */
function readSnapshot(
  text: string,
  member: string | null,
): { author: string | null; subject: string; kept: string[] } {
  const end = text.indexOf("\n\n");
  const head = (end < 0 ? text : text.slice(0, end)).split("\n");
  const line = head.find((each) => each.startsWith("author "))?.slice("author ".length);
  const [, name = "", email = "", at, zone] = AUTHOR.exec(line ?? "") ?? [];
  const author = at
    ? `${authorName(member ?? name) || FALLBACK_NAME} <${oneLine(email)}> ${at} ${zone}`
    : null;

  const paragraphs = plainText(end < 0 ? "" : text.slice(end + 2)).split(/\n{2,}/);
  const last = paragraphs.at(-1)?.split("\n") ?? [];
  const hasTrailers = paragraphs.length > 1 && last.every((each) => TRAILER.test(each));
  const message = (hasTrailers ? paragraphs.slice(0, -1) : paragraphs).join("\n\n").trim();
  return { author, subject: message || "Submission", kept: hasTrailers ? last : [] };
}

/** Removes control characters, which could move a terminal's cursor. */
function plainText(text: string): string {
  return (
    text
      .replace(/\r\n?/g, "\n")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
      .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "")
      .trim()
  );
}

/** Returns a name as git accepts it in a commit. */
const authorName = (name: string) => oneLine(name.replace(/[<>]/g, ""));

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return text.replace(/[\x00-\x1f\x7f]+/g, " ").trim();
}
