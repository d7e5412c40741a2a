import "../client/schema-settings.ts";
import { resolve } from "node:path";
import { CrowdaiError, createSubmissionId, MAX_MODELS } from "@crowdai/shared";
import packageJson from "../../package.json" with { type: "json" };
import { inspectFile } from "../client/upload/byte-source.ts";
import { chosenChallenge, resolveSettings } from "../config/settings.ts";
import { clientName } from "../connection/client-name.ts";
import { DEFAULT_SPOOL } from "../spool/manifest.ts";
import { sealEntry } from "../spool/seal-entry.ts";
import type { ModelFile } from "../submit/models.ts";
import { describeValue } from "../submit/submission-input.ts";

/**
 * Options of `Challenge.spool`.
 *
 * @example
 * const options: SpoolOptions = { folder: "/media/usb/spool", message: "Deeper trees" };
 */
export interface SpoolOptions {
  /**
   * Folder of the sealed submissions, which is created if it does not exist. Default: `crowdai-spool` in the
   * current folder.
   */
  folder?: string;
  /** Id or number of the round. Default: the round that is open when the submission arrives. */
  round?: string | number;
  /** Message to store with the submission. */
  message?: string;
  /** Model files to store with the submission: paths, or `{ file, name }`. */
  models?: readonly (ModelFile | string)[];
  /**
   * Address of the broker that it is for. Default: as for `Challenge.open`; without any, it can be sent to
   * every broker.
   */
  broker?: string | URL;
  /** Name of this program in the broker's records. Default: the library's name and version. */
  client?: string;
  /** Rejects with `interrupted` when aborted; nothing is sealed then. */
  signal?: AbortSignal;
}

/**
 * A submission that is sealed in a folder. `crowdai sync` sends it.
 *
 * @example
 * const sealed: SealedSubmission = await Challenge.spool("iris", { predictions });
 */
export interface SealedSubmission {
  /** The id of the submission. */
  id: string;
  folder: string;
  /** The name of its folder in the spool. */
  entry: string;
  sealed_at: string;
}

/** Seals a file or a value, without a network. */
export async function spoolInput(
  named: string | undefined,
  input: { file: string; name?: string } | { value: unknown },
  options: SpoolOptions,
): Promise<SealedSubmission> {
  const { round, message, broker, models = [], signal = new AbortController().signal } = options;
  const flags = broker === undefined ? {} : { broker: String(broker) };
  const settings = resolveSettings({ env: process.env, cwd: process.cwd(), flags });
  if (models.length > MAX_MODELS)
    throw new CrowdaiError("model_refused", `A submission can have at most ${MAX_MODELS} models.`);
  const files = models.map((model) => (typeof model === "string" ? { file: model } : model));
  const inspected = await Promise.all(files.map(({ file, name }) => inspectFile(file, name)));
  const folder = resolve(options.folder ?? DEFAULT_SPOOL);
  const { entry, manifest } = await sealEntry({
    folder,
    manifest: {
      crowdai_spool: 1,
      id: createSubmissionId(),
      broker: settings.sources.broker === "default" ? null : settings.broker,
      challenge: named ?? chosenChallenge(settings),
      round: round === undefined ? null : String(round),
      message: message ?? null,
      publish: false,
      sealed_at: new Date().toISOString(),
      client: options.client ?? clientName(packageJson.version),
    },
    input:
      "file" in input
        ? { from: "file", facts: await inspectFile(input.file, input.name) }
        : { from: "json", text: describeValue(input.value).text },
    models: inspected,
    writeCode: null,
    signal,
  });
  return { id: manifest.id, folder, entry, sealed_at: manifest.sealed_at };
}
