import { join, relative, resolve } from "node:path";
import { CrowdaiError, quoted } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import { scriptWithFixedPath } from "@crowdai/shared/challenge-folder";
import { readCodabench } from "./codabench-bundle.ts";
import type { Draft, LeftOut, Reading } from "./draft.ts";
import { readEvalai } from "./evalai-bundle.ts";
import { bundleInvalid, openBundle } from "./open-bundle.ts";
import { readYaml } from "./read-yaml.ts";
import { writeDraft } from "./write-draft.ts";

export interface ImportOptions {
  /** A folder or an archive. */
  bundle: string;
  /** The folder of challenge folders. */
  into: string;
  id: string | null;
  dryRun: boolean;
}

export interface Imported {
  folder: ChallengeFolder;
  leftOut: LeftOut[];
}

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/**
 * Writes a challenge folder from the bundle of another platform. Throws before it has written anything, or
 * removes what it has.
 */
export async function importChallenge({ bundle: path, into, id, dryRun }: ImportOptions): Promise<Imported> {
  if (id !== null && !ID.test(id))
    throw new CrowdaiError("usage", `${quoted(id)} is not an id: use letters, digits, _ . and -.`);
  await using bundle = await openBundle(path);
  const problems: string[] = [];
  const leftOut: LeftOut[] = [];
  const reading: Reading = {
    ...{ bundle, id },
    problem: (text) => void problems.push(text),
    leaveOut(what, reason) {
      if (!leftOut.some((one) => one.what === what)) leftOut.push({ what, reason });
    },
  };
  const draft = await readDraft(reading, await readYaml(bundle));
  if (!draft || problems.length > 0) throw bundleInvalid(problems);
  const folder = await writeDraft(draft, resolve(into, draft.config.id), {
    dryRun,
    adapt: (written) => adaptSandbox(written, draft, reading),
  });
  return { folder, leftOut };
}

function readDraft(reading: Reading, content: Record<string, unknown>): Promise<Draft | null> {
  return reading.bundle.kind === "evalai" ? readEvalai(reading, content) : readCodabench(reading, content);
}

/** A program whose code names the folders of Codabench's containers needs a box. */
async function adaptSandbox(written: string, { config }: Draft, { leaveOut }: Reading): Promise<void> {
  const evaluator = config.evaluator as { codabench?: string; sandbox?: string };
  if (evaluator.codabench === undefined) return;
  const script = await scriptWithFixedPath(join(written, evaluator.codabench));
  if (!script) return;
  evaluator.sandbox = "bubblewrap";
  leaveOut(
    `grading without a box`,
    `line ${script.line} of ${relative(written, join(written, evaluator.codabench, script.name))} names ${script.path}; graders need root and bubblewrap`,
  );
}
