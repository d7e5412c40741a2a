import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Store } from "../store/snapshot-store.ts";
import type { Snapshot } from "../take-snapshot.ts";

/**
 * The repository that a commit goes to: one per broker, challenge and participant, each with its own history.
 */
export interface Destination {
  broker: string;
  challenge: string;
  participant: string;
}

export interface CommitFacts {
  id: string;
  destination: Destination;
  message: string | null;
  /** From crowdai.json. */
  authors: readonly string[];
  /** This client, as `crowdai/0.1.0 node/26.10.0`. */
  client: string;
}

/**
 * Returns the commit for a submission: the one that was announced for it before, or the last pushed one if it
 * says the same about the same tree, else a new one. It has no parent, because brokers build the history
 * themselves.
 */
export async function commitSnapshot(
  { git }: Store,
  snapshot: Snapshot,
  facts: CommitFacts,
): Promise<string> {
  const announced = announcedRef(facts.id);
  const [before, last] = await Promise.all([
    resolveRef(git, announced),
    resolveRef(git, pushedRef(facts.destination)),
  ]);
  const author = authorOf(snapshot, facts);
  const message = commitMessage(snapshot, facts);
  const isTrue = async ({ commit, tree }: { commit: string; tree: string }) =>
    tree === snapshot.tree &&
    isDeepStrictEqual(
      statements(await git.line(["log", "-1", "--no-decorate", "--format=%an%n%ae%n%n%B", commit])),
      statements(`${author.name}\n${author.email}\n\n${message}`),
    );
  const known = before?.tree === snapshot.tree ? before : last && (await isTrue(last)) ? last : null;
  if (known) {
    await git.line(["update-ref", announced, known.commit]);
    return known.commit;
  }
  const commit = await git.run(["commit-tree", "--no-gpg-sign", "-F", "-", snapshot.tree], {
    input: message,
    env: {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_COMMITTER_NAME: author.name,
      GIT_COMMITTER_EMAIL: author.email,
    },
  });
  const name = commit.toString().trim();
  await git.line(["update-ref", announced, name]);
  return name;
}

/**
 * Returns what a commit says about its author and its snapshot. The message and the submission are those of
 * the first submission with this commit; the broker writes each submission's own.
 */
function statements(text: string): string[] {
  const paragraphs = text.trim().split("\n\n");
  const trailers = paragraphs.at(-1)!.split("\n");
  return [paragraphs[0]!, ...trailers.filter((line) => !line.startsWith("Crowdai-Submission: "))];
}

/** Makes a commit of an earlier run the one that is announced for a submission. */
export async function noteAnnounced({ git }: Pick<Store, "git">, id: string, commit: string): Promise<void> {
  await git.line(["update-ref", announcedRef(id), commit]);
}

/** Records that the broker has the commit, so that the next push sends only what is new. */
export async function notePushed(
  { git }: Pick<Store, "git">,
  id: string,
  destination: Destination,
  commit: string,
): Promise<void> {
  await git.line(["update-ref", pushedRef(destination), commit]);
  await git.line(["update-ref", "-d", announcedRef(id)]);
}

/** Returns the last commit that was pushed to the destination, or null. */
export async function lastPushed(
  { git }: Pick<Store, "git">,
  destination: Destination,
): Promise<string | null> {
  return (await resolveRef(git, pushedRef(destination)))?.commit ?? null;
}

/** Returns the ref of the commit that is announced for a submission. */
export function announcedRef(id: string): string {
  return `refs/crowdai/announced/${digest([id])}`;
}
function pushedRef({ broker, challenge, participant }: Destination): string {
  return `refs/crowdai/pushed/${digest([broker, challenge, participant])}`;
}
function digest(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

async function resolveRef(git: Store["git"], ref: string): Promise<{ commit: string; tree: string } | null> {
  const found = await git.line(["for-each-ref", "--format=%(objectname) %(tree)", ref]).catch(() => "");
  const [commit, tree] = found.split(" ");
  return commit && tree ? { commit, tree } : null;
}

/** Returns the user's name from git, else the first author in crowdai.json, else the participant. */
function authorOf(
  { author }: Snapshot,
  { authors, destination }: CommitFacts,
): { name: string; email: string } {
  const [, named = "", address] = authors[0]?.match(/^([^<]*)(?:<([^>]*)>)?$/) ?? [];
  const plain = (text: string | null | undefined) => text?.replace(/[<>\p{Cc}]/gu, "").trim() || null;
  return {
    name: plain(author.name) ?? plain(named) ?? plain(destination.participant) ?? "participant",
    email: plain(author.email) ?? plain(address) ?? "noreply@crowdai.invalid",
  };
}

function commitMessage(
  { head, branch, dirty }: Snapshot,
  { id, destination, message, authors, client }: CommitFacts,
): string {
  const line = (text: string) => text.replace(/\p{Cc}+/gu, " ").trim();
  const [version = client, runtime = "unknown"] = client.split(" ");
  const trailers = [
    ["Crowdai-Submission", id],
    ["Crowdai-Challenge", destination.challenge],
    ["Crowdai-Head", head],
    ...(branch === null ? [] : [["Crowdai-Branch", branch]]),
    ["Crowdai-Dirty", dirty],
    ["Crowdai-Runtime", runtime],
    ["Crowdai-Client", version],
    ...authors
      .slice(1)
      .map((name) => ["Co-authored-by", /<.*>/.test(name) ? name : `${name} <noreply@crowdai.invalid>`]),
  ];
  const text = message?.replace(/\0/g, "").trim() || `Submission ${id}`;
  return `${text}\n\n${trailers.map(([key, value]) => `${key}: ${line(value!)}`).join("\n")}\n`;
}
