import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type ChallengeFolder, loadChallenges } from "../../shared/src/challenge-folder/index.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Sample } from "./submission-plan.ts";

/** chaos.json beside challenge.json: inputs, and what each must come to when that is known. */
const samplesSchema = z
  .array(
    z.union([
      z.strictObject({
        data: z.unknown(),
        score: z.number().optional(),
        rejected: z.literal(true).optional(),
      }),
      z.strictObject({
        file: z.string(),
        score: z.number().optional(),
        rejected: z.literal(true).optional(),
      }),
    ]),
  )
  .min(1);

/**
 * Inputs for the user's own challenges: what chaos.json in a challenge's folder lists, or its public files
 * that it accepts. Throws an Error for a challenge with neither.
 */
export async function loadSamples(
  random: SeededRandom,
  challenges: string,
): Promise<(index: number) => Sample> {
  const { challenges: loaded, problems } = await loadChallenges(challenges);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
  const samples = loaded.flatMap(samplesOf);
  if (samples.length === 0) throw new Error(`There is no challenge in ${challenges}.`);
  return () => random.pick(samples);
}

function samplesOf({ dir, config, data }: ChallengeFolder): Sample[] {
  const list = join(dir, "chaos.json");
  if (existsSync(list))
    return samplesSchema.parse(JSON.parse(readFileSync(list, "utf8"))).map((given, index) => ({
      challenge: config.id,
      name: String(index),
      input: "file" in given ? { file: join(dir, given.file) } : { value: given.data },
      expected: given.rejected
        ? { rejected: true }
        : given.score === undefined
          ? null
          : { score: given.score },
    }));
  const extensions = config.accepts.file?.extensions;
  const files = data.filter(
    ({ name }) => extensions && (extensions.length === 0 || extensions.some((one) => name.endsWith(one))),
  );
  if (files.length === 0)
    throw new Error(
      `${config.id} has no chaos.json with inputs, and no public file that it accepts as a submission.`,
    );
  return files.map(({ name }) => ({
    challenge: config.id,
    name,
    input: { file: join(dir, "public", name) },
    expected: null,
  }));
}
