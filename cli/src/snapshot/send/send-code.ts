import type { CodeAnnouncement, CodePush } from "@crowdai/shared";
import { withRetries } from "../../async/retry.ts";
import { locate } from "../../client/http/broker-address.ts";
import { openStore, type Store } from "../store/snapshot-store.ts";
import type { Snapshot } from "../take-snapshot.ts";
import { type AwaitedCode, forgetAwaited, noteAwaited, readAwaited } from "./awaited-code.ts";
import type { CodeOutcome } from "./code-outcome.ts";
import {
  type CommitFacts,
  commitSnapshot,
  type Destination,
  lastPushed,
  notePushed,
} from "./commit-snapshot.ts";
import { PushFailure, pushCommit } from "./push-commit.ts";

/** For a proxy or a broker that is away for a moment: what requires the code waits for it. */
const RETRIES = { retries: 3, baseMs: 500, withinMs: 20_000 };

type Env = Readonly<Record<string, string | undefined>>;

/** A snapshot that is sent with one submission. */
export interface CodeToSend {
  snapshot: Snapshot;
  /** Creates the commit and returns its announcement. */
  announce(id: string): Promise<CodeAnnouncement>;
  /**
   * Starts the push, which runs in parallel with the upload. Repeated calls for a submission have no effect.
   */
  begin(id: string, target: CodePush): void;
  /** Whether the push was started. */
  begun(): boolean;
  /** Waits for the outcome of the push; null if the broker did not ask for the code. Never throws. */
  settle(): Promise<CodeOutcome | null>;
}

/** Where the code of a submission is stored, and where it is sent. */
export interface SendOptions {
  store: Store;
  codeFolder: string;
  broker: URL;
  key: string;
  facts: Omit<CommitFacts, "id">;
  signal?: AbortSignal;
}

export function createCodeToSend(snapshot: Snapshot, options: SendOptions): CodeToSend {
  const { store, codeFolder, broker, facts } = options;
  let commit = "";
  let push: { id: string; outcome: Promise<CodeOutcome> } | undefined;
  return {
    snapshot,
    async announce(id) {
      commit = await commitSnapshot(store, snapshot, { ...facts, id });
      return { commit, tree: snapshot.tree, files: snapshot.files.length, bytes: snapshot.bytes };
    },
    begin(id, { url, ref, have }) {
      if (push?.id === id) return;
      const { destination } = facts;
      const awaited: AwaitedCode = {
        id,
        ...destination,
        project: snapshot.folder,
        commit,
        url: locate(broker, url).href,
        ref,
        at: Date.now(),
      };
      push = { id, outcome: have ? alreadyStored(store, awaited) : send(store, awaited, options) };
    },
    begun: () => push !== undefined,
    settle: async () => (push ? push.outcome : null),
  };

  async function alreadyStored({ git }: Store, { id, commit: name }: AwaitedCode): Promise<CodeOutcome> {
    await notePushed({ git }, id, facts.destination, name).catch(() => {});
    forgetAwaited(codeFolder, id);
    return { state: "stored", id, sent: false };
  }
}

/** Sends the code of earlier submissions that has not reached the broker yet. */
export async function sendAwaited(options: {
  codeFolder: string;
  broker: URL;
  env: Env;
  key: string;
  /** Only the code of this submission. */
  id?: string;
  signal?: AbortSignal;
}): Promise<CodeOutcome[]> {
  const { codeFolder, broker, env, id } = options;
  const outcomes: CodeOutcome[] = [];
  for (const awaited of readAwaited(codeFolder, brokerName(broker), id)) {
    const store = await openStore(codeFolder, awaited.project, env);
    try {
      outcomes.push(await send(store, awaited, options));
    } finally {
      store.close();
    }
  }
  return outcomes;
}

/** Returns the broker's address in the form that is recorded with awaited code. */
export function brokerName(broker: URL): string {
  return broker.href.replace(/\/+$/, "");
}

async function send(
  { git, scratch, temporary }: Store,
  awaited: AwaitedCode,
  { codeFolder, key, signal }: { codeFolder: string; key: string; signal?: AbortSignal },
): Promise<CodeOutcome> {
  const { id, commit, ref, url } = awaited;
  const destination: Destination = awaited;
  const isNoted = noteAwaited(codeFolder, awaited) && !temporary;
  try {
    const before = await lastPushed({ git }, destination);
    const push = () => pushCommit({ git, commit, before, ref, url: new URL(url), key, scratch, signal });
    const mayHelp = (failure: unknown) => (failure instanceof PushFailure && failure.by === null ? 0 : false);
    await withRetries(push, mayHelp, { ...RETRIES, signal });
  } catch (failure) {
    const by = failure instanceof PushFailure ? failure.by : null;
    if (by !== null || !isNoted) forgetAwaited(codeFolder, id);
    const reason = signal?.aborted ? "the push was interrupted" : (failure as Error).message;
    if (by !== null) return { state: "refused", id, reason, by };
    return { state: "awaited", id, reason, ...(isNoted ? {} : { final: true }) };
  }
  await notePushed({ git }, id, destination, commit).catch(() => {});
  forgetAwaited(codeFolder, id);
  return { state: "stored", id, sent: true };
}
