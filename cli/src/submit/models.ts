import { resolve } from "node:path";
import { CrowdaiError, type IntentRequest, MODEL_LIMIT, type PublicChallenge } from "@crowdai/shared";
import { type ByteSource, digestFile, inspectFile } from "../client/upload/byte-source.ts";

/** A model's file. `name` is what it is called, by default the path's last part. */
export interface ModelFile {
  file: string;
  name?: string | undefined;
}

export interface ModelToSend {
  name: string;
  source: ByteSource;
}

/**
 * Reads models for their digests. Throws model_refused for what the challenge does not take, before any is read, and what is wrong with
 * the files.
 */
export async function prepareModels(
  { id, accepts: { model: rule } }: Pick<PublicChallenge, "id" | "accepts">,
  models: readonly ModelFile[],
  options: { cwd?: string; signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<ModelToSend[]> {
  if (models.length === 0) return [];
  if (!rule) throw new CrowdaiError("model_refused", `${id} takes no models.`);
  if (models.length > MODEL_LIMIT)
    throw new CrowdaiError(
      "model_refused",
      `${models.length} models were given; a submission takes ${MODEL_LIMIT}.`,
    );
  const facts = await Promise.all(
    models.map(({ file, name }) => inspectFile(resolve(options.cwd ?? ".", file), name)),
  );
  for (const { name, size } of facts) {
    if (size > rule.max_bytes)
      throw new CrowdaiError(
        "model_refused",
        `The model ${name} has ${size} bytes; ${id} takes at most ${rule.max_bytes}.`,
        { details: { name, size, max_bytes: rule.max_bytes } },
      );
    if (facts.filter((other) => other.name === name).length > 1)
      throw new CrowdaiError("model_refused", `Two models are named ${name}.`, {
        next: "Give each a name of its own.",
        details: { name },
      });
  }
  const offered: ModelToSend[] = [];
  for (const one of facts) offered.push({ name: one.name, source: await digestFile(one, options) });
  return offered;
}

/** As they stand in the intent. */
export function modelsOfIntent(models: readonly ModelToSend[]): NonNullable<IntentRequest["models"]> {
  return models.map(({ name, source: { size, sha256, parts } }) => ({ name, size, sha256, parts }));
}
