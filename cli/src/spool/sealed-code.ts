import { join } from "node:path";
import { noteAnnounced } from "../snapshot/send/commit-snapshot.ts";
import { brokerName, createCodeToSend } from "../snapshot/send/send-code.ts";
import { codeFolder } from "../snapshot/store/code-folder.ts";
import { openStore } from "../snapshot/store/snapshot-store.ts";
import type { Snapshot } from "../snapshot/take-snapshot.ts";
import type { PreparedCode } from "../submit/prepare-code.ts";
import { damaged, type Manifest } from "./manifest.ts";
import type { VerifiedEntry } from "./verify-entry.ts";

/** Opens the code of an entry, ready to be sent with the submission. Throws spool_damaged and git_missing. */
export async function openSealedCode(options: {
  entry: VerifiedEntry;
  /** The spool. */
  folder: string;
  code: NonNullable<Manifest["code"]>;
  /** The id that is sent. */
  id: string;
  broker: URL;
  participant: string;
  key: string;
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
}): Promise<PreparedCode> {
  const { entry, folder, code, id, broker, participant, key, env, signal } = options;
  const { manifest, name } = entry;
  const own = codeFolder(env);
  const store = await openStore(own, folder, env);
  try {
    await store.git.run(["bundle", "unbundle", join(entry.path, code.file)], { signal });
    const tree = await store.git.line(["log", "-1", "--no-decorate", "--format=%T", code.commit, "--"]);
    if (tree !== code.tree) throw damaged(name, `${code.file} has other code than the manifest says`);
    await noteAnnounced(store, id, code.commit);
  } catch (failure) {
    store.close();
    signal.throwIfAborted();
    if ((failure as Error).name !== "GitFailure") throw failure;
    throw damaged(name, `${code.file} is not a bundle of the announced commit`, { cause: failure });
  }
  const destination = { broker: brokerName(broker), challenge: manifest.challenge, participant };
  const facts = { destination, message: manifest.message, authors: [], client: manifest.client };
  const sent = createCodeToSend(snapshotOf(folder, code), {
    store,
    codeFolder: own,
    broker,
    key,
    facts,
    signal,
  });
  return { ...sent, close: () => store.close() };
}

/** The snapshot as far as sending it needs: the commit exists already. */
function snapshotOf(folder: string, { tree, files, bytes }: NonNullable<Manifest["code"]>): Snapshot {
  return {
    folder,
    tree,
    files: new Array(files),
    bytes,
    leftOut: [],
    notes: [],
    findings: [],
    head: "none",
    branch: null,
    dirty: "no",
    author: { name: null, email: null },
  };
}
