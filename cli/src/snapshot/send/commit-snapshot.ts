import { createHash } from "node:crypto";
import type { Store } from "../store/snapshot-store.ts";
import type { Snapshot } from "../take-snapshot.ts";

/** Whose repository at which broker a commit goes to: each has its own line of snapshots. */
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
 * The commit for a submission: the one it was announced with before; the last pushed one, when nothing has changed since; else a new
 * one. It stands alone, for brokers make the history themselves; what of it they have already they tell when it is pushed.
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
  for (const known of [before, last])
    if (known && known.tree === snapshot.tree) {
      await git.line(["update-ref", announced, known.commit]);
      return known.commit;
    }
  const author = authorOf(snapshot, facts);
  const commit = await git.run(["commit-tree", "--no-gpg-sign", "-F", "-", snapshot.tree], {
    input: commitMessage(snapshot, facts),
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

/** The broker has it: it is kept here, so that of the next one only what is new is sent. */
export async function notePushed(
  { git }: Pick<Store, "git">,
  id: string,
  destination: Destination,
  commit: string,
): Promise<void> {
  await git.line(["update-ref", pushedRef(destination), commit]);
  await git.line(["update-ref", "-d", announcedRef(id)]);
}

/** The snapshot that went there last. */
export async function lastPushed(
  { git }: Pick<Store, "git">,
  destination: Destination,
): Promise<string | null> {
  return (await resolveRef(git, pushedRef(destination)))?.commit ?? null;
}

function announcedRef(id: string): string {
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

/** The user's own name in git, else the first author of crowdai.json, else the participant. */
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
