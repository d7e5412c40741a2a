import { resolve } from "node:path";
import { CrowdaiError, type IntentRequest, MAX_MODELS, type PublicChallenge } from "@crowdai/shared";
import { type ByteSource, digestFile, inspectFile } from "../client/upload/byte-source.ts";
import { exactSizeText } from "../terminal/size.ts";

/**
 * A model file to store with a submission. `name` defaults to the last part of the path.
 *
 * @example
 * await challenge.submit({ predictions }, { models: [{ file: "out/model.onnx", name: "forest.onnx" }] });
 */
export interface ModelFile {
  file: string;
  name?: string | undefined;
}

export interface ModelToSend {
  name: string;
  source: ByteSource;
}

/**
 * Reads model files for their digests. Throws model_refused, before any is read, for models that the
 * challenge does not accept, and what inspectFile throws.
 */
export async function prepareModels(
  { id, accepts: { model: rule } }: Pick<PublicChallenge, "id" | "accepts">,
  models: readonly ModelFile[],
  options: { cwd?: string; signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<ModelToSend[]> {
  if (models.length === 0) return [];
  if (!rule) throw new CrowdaiError("model_refused", `${id} does not accept models.`);
  if (models.length > MAX_MODELS)
    throw new CrowdaiError(
      "model_refused",
      `A submission can have at most ${MAX_MODELS} models; ${models.length} were given.`,
    );
  const facts = await Promise.all(
    models.map(({ file, name }) => inspectFile(resolve(options.cwd ?? ".", file), name)),
  );
  for (const { name, size } of facts) {
    if (size > rule.max_bytes)
      throw new CrowdaiError(
        "model_refused",
        `The model ${name} is ${exactSizeText(size)}; ${id} accepts at most ${exactSizeText(rule.max_bytes)}.`,
        { details: { name, size, max_bytes: rule.max_bytes } },
      );
    if (facts.filter((other) => other.name === name).length > 1)
      throw new CrowdaiError("model_refused", `Two models are named ${name}.`, {
        next: "Give each model a unique name.",
        details: { name },
      });
  }
  const offered: ModelToSend[] = [];
  for (const one of facts) offered.push({ name: one.name, source: await digestFile(one, options) });
  return offered;
}

/** Returns the models as the intent announces them. */
export function modelsOfIntent(models: readonly ModelToSend[]): NonNullable<IntentRequest["models"]> {
  return models.map(({ name, source: { size, sha256, parts } }) => ({ name, size, sha256, parts }));
}
