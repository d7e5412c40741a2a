import { configFolder } from "../config/config-folder.ts";
import { announcedRef, type CommitFacts, commitSnapshot } from "../snapshot/send/commit-snapshot.ts";
import { codeFolder } from "../snapshot/store/code-folder.ts";
import { openStore } from "../snapshot/store/snapshot-store.ts";
import { type Snapshot, takeSnapshot } from "../snapshot/take-snapshot.ts";
import type { ChosenCode } from "../submit/choose-code.ts";

/** A snapshot that is taken and can be written as a git bundle. Close it at the end. */
export interface CodeToSeal {
  snapshot: Snapshot;
  write(path: string): Promise<{ commit: string; tree: string; files: number; bytes: number }>;
  close(): void;
}

/** Takes a snapshot of the code, as `submit` does. Throws what takeSnapshot throws. */
export async function snapshotToSeal(options: {
  chosen: ChosenCode;
  /** The spool, which is never part of the code. */
  spool: string;
  facts: Omit<CommitFacts, "authors">;
  allowSecrets: boolean | undefined;
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
}): Promise<CodeToSeal> {
  const { chosen, env, signal, facts, spool } = options;
  const folder = codeFolder(env);
  const store = await openStore(folder, chosen.folder, env);
  try {
    const snapshot = await takeSnapshot({
      store,
      ...chosen,
      env,
      allowSecrets: options.allowSecrets,
      ours: [configFolder(env).path, folder, spool],
      signal,
    });
    return { snapshot, write: (path) => write(snapshot, path), close: () => store.close() };
  } catch (failure) {
    store.close();
    throw failure;
  }

  async function write(snapshot: Snapshot, path: string) {
    const commit = await commitSnapshot(store, snapshot, { ...facts, authors: chosen.authors });
    const ref = announcedRef(facts.id);
    await store.git.run(["bundle", "create", "--quiet", path, ref], { signal });
    await store.git.line(["update-ref", "-d", ref]);
    return { commit, tree: snapshot.tree, files: snapshot.files.length, bytes: snapshot.bytes };
  }
}
