import type { PublicChallenge } from "@crowdai/shared";
import { configFolder } from "../config/config-folder.ts";
import { brokerName, type CodeToSend, createCodeToSend } from "../snapshot/send/send-code.ts";
import { codeFolder } from "../snapshot/store/code-folder.ts";
import { openStore } from "../snapshot/store/snapshot-store.ts";
import { takeSnapshot } from "../snapshot/take-snapshot.ts";
import type { ChosenCode } from "./choose-code.ts";

export interface PrepareCodeOptions {
  chosen: ChosenCode;
  challenge: PublicChallenge;
  participant: string;
  broker: URL;
  key: string;
  /** This client, as `crowdai/0.1.0 node/26.10.0`. */
  client: string;
  message: string | undefined;
  allowSecrets: boolean | undefined;
  env: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal;
}

/** Code that is ready to be sent with a submission. Close it when the submission has ended. */
export type PreparedCode = CodeToSend & { close(): void };

/** Takes the snapshot and sends nothing yet. Throws what takeSnapshot throws. */
export async function prepareCode(options: PrepareCodeOptions): Promise<PreparedCode> {
  const { chosen, env, signal, broker, key, challenge, participant, client, message } = options;
  const folder = codeFolder(env);
  const store = await openStore(folder, chosen.folder, env);
  try {
    const snapshot = await takeSnapshot({
      store,
      ...chosen,
      env,
      allowSecrets: options.allowSecrets,
      ours: [configFolder(env).path, folder],
      signal,
    });
    if (store.temporary)
      snapshot.notes.push(
        `${folder} cannot be written: if sending the code fails, it cannot be sent again later. Set CROWDAI_CONFIG_DIR to a folder that can be written.`,
      );
    const destination = { broker: brokerName(broker), challenge: challenge.id, participant };
    const facts = { destination, message: message ?? null, authors: chosen.authors, client };
    const code = createCodeToSend(snapshot, { store, codeFolder: folder, broker, key, facts, signal });
    return { ...code, close: () => store.close() };
  } catch (failure) {
    store.close();
    throw failure;
  }
}
