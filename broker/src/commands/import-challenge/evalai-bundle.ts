import { lstat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Draft, importedChallengeId, type Reading, roundIds } from "./draft.ts";
import {
  EVALAI_PHASE_REASONS,
  EVALAI_REASONS,
  type EvalaiChallenge,
  type EvalaiPhase,
  evalaiChallenge,
  evalaiPhase,
} from "./evalai-format.ts";
import { evalaiScores } from "./evalai-scores.ts";
import { findInBundle } from "./find-in-bundle.ts";
import { leaveOutFields } from "./left-out-fields.ts";
import { descriptionOf, lineOf, type Page, readPage } from "./page-text.ts";
import { addPicture } from "./picture.ts";
import { issueLines } from "./read-yaml.ts";

/** EvalAI's default, which means no limit. */
const NO_LIMIT = 100_000;
/** Reads a bundle of EvalAI (challenge_config.yaml). Null when problems were reported. */
export async function readEvalai(reading: Reading, content: Record<string, unknown>): Promise<Draft | null> {
  const { problem } = reading;
  const parsed = evalaiChallenge.safeParse(content);
  if (!parsed.success) {
    for (const line of issueLines(parsed.error.issues)) problem(line);
    return null;
  }
  const given = parsed.data;
  if (given.remote_evaluation)
    problem(
      "remote_evaluation: submissions are evaluated on another machine, by a program that is not in the bundle",
    );
  if (given.is_docker_based || given.is_static_dataset_code_upload)
    problem("is_docker_based, is_static_dataset_code_upload: submissions are images, which are not run here");
  leaveOutFields(reading, given, { known: Object.keys(evalaiChallenge.shape), reasons: EVALAI_REASONS });
  if (given.published === false)
    reading.leaveOut(
      "published: false",
      "a challenge is shown once a broker serves it; visibility.private hides it",
    );
  const ids = phaseIds(reading, given.challenge_phases);
  const draft: Draft = { config: { id: "", title: lineOf(given.title) }, files: [], leftOut: [] };
  const annotations = await takeAnnotations(reading, given.challenge_phases, ids, draft);
  await takeScript(reading, given.evaluation_script, draft);
  const scores = evalaiScores(reading, given);
  draft.config = {
    id: importedChallengeId(reading, given.title),
    title: lineOf(given.title),
    description: await describe(reading, given, draft),
    ...scores.fields,
    rounds: given.challenge_phases.map((one, at) => roundOf(reading, one, ids[at]!)),
    accepts: { file: { extensions: extensionsOf(given.challenge_phases) } },
    evaluator: {
      evalai: "evaluation_script/",
      ...(annotations === null ? {} : { annotations }),
      ...scores.names,
    },
    ...visibilityOf(reading, given.challenge_phases),
  };
  return draft;
}

/** The script gets the id of a round as the code name of its phase. */
function phaseIds({ leaveOut }: Reading, phases: readonly EvalaiPhase[]): string[] {
  const made = roundIds(phases.map(({ name, codename }) => codename ?? name));
  return phases.map(({ name, codename }, at) => {
    if (codename && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(codename)) return codename;
    if (codename)
      leaveOut(
        `phase ${JSON.stringify(name)}: codename ${JSON.stringify(codename)}`,
        `the script gets ${made[at]}`,
      );
    return made[at]!;
  });
}

function roundOf(reading: Reading, given: EvalaiPhase, id: string): object {
  const { leaveOut } = reading;
  const where = `phase ${JSON.stringify(given.name)}`;
  leaveOutFields(reading, given, {
    ...{
      known: [...Object.keys(evalaiPhase.shape), "challenge"],
      reasons: EVALAI_PHASE_REASONS,
      where: `${where}: `,
    },
  });
  if (given.is_public === false)
    leaveOut(`${where}: is_public: false`, "rounds are shown; move its start to hide what it asks for");
  const limit = (count: number | null) => (count !== null && count < NO_LIMIT ? count : null);
  const limits = (
    [
      [limit(given.max_submissions_per_day), "day", "max_submissions_per_day"],
      [limit(given.max_submissions), "round", "max_submissions"],
    ] as const
  ).filter(([count]) => count !== null);
  const [first, second] = limits;
  if (second)
    leaveOut(
      `${where}: max_submissions (${second[0]})`,
      `a round has one limit, which is ${first![0]} a day`,
    );
  const month = limit(given.max_submissions_per_month);
  if (month !== null)
    leaveOut(`${where}: max_submissions_per_month (${month})`, "limits are per day, week or round");
  const parallel = given.max_concurrent_submissions_allowed;
  return {
    id,
    title: lineOf(given.name),
    starts_at: given.start_date,
    ends_at: given.end_date,
    limit: first
      ? { count: first[0], per: first[1], ...(first[1] === "day" ? { scope: "round" } : {}) }
      : null,
    ...(parallel === null ? {} : { parallel_limit: parallel }),
  };
}

function visibilityOf({ leaveOut }: Reading, phases: readonly EvalaiPhase[]): object {
  const hidden = phases.filter((one) => one.leaderboard_public !== true);
  if (hidden.length === 0) return {};
  if (hidden.length < phases.length)
    leaveOut(
      "public leaderboards of some phases",
      "a challenge shows all boards or none, and some are hidden: see visibility.leaderboard",
    );
  return { visibility: { leaderboard: false } };
}

function extensionsOf(phases: readonly EvalaiPhase[]): string[] {
  const lists = phases.map(({ allowed_submission_file_types: types }) =>
    (Array.isArray(types) ? types : (types ?? "").split(/[\s,]+/))
      .map((type) => type.trim().toLowerCase())
      .filter(Boolean),
  );
  // A phase without a list takes any file.
  if (lists.some((list) => list.length === 0)) return [];
  return [...new Set(lists.flat().map((type) => `.${type.replace(/^\*?\.?/, "")}`))].filter((type) =>
    /^\.[A-Za-z0-9.]+$/.test(type),
  );
}

async function takeAnnotations(
  reading: Reading,
  phases: readonly EvalaiPhase[],
  ids: readonly string[],
  draft: Draft,
): Promise<string | Record<string, string> | null> {
  const places = new Map<string, string>();
  const byRound: Record<string, string> = {};
  for (const [at, { name, test_annotation_file: path }] of phases.entries()) {
    const field = `phase ${JSON.stringify(name)}: test_annotation_file`;
    if (!path) {
      if (phases.some((one) => one.test_annotation_file))
        reading.problem(`${field}: expected a file, got none`);
      continue;
    }
    if (!places.has(path)) {
      const found = await findInBundle(reading, field, path);
      const base = basename(path.replaceAll("\\", "/"));
      const taken = [...places.values()].includes(`private/${base}`);
      const to = taken ? `private/${ids[at]}/${base}` : `private/${base}`;
      if (found?.isFolder) reading.problem(`${field}: ${JSON.stringify(path)} is a folder`);
      else if (found) draft.files.push({ from: found.path, to, asIs: true });
      places.set(path, to);
    }
    byRound[ids[at]!] = places.get(path)!;
  }
  if (places.size === 0) return null;
  return places.size === 1 ? [...places.values()][0]! : byRound;
}

/** Repositories hold the folder of which their build makes the archive that the configuration names. */
async function takeScript(reading: Reading, given: string, draft: Draft): Promise<void> {
  const folder = given.replace(/\.(?:zip|tar|tar\.gz|tgz)$/i, "");
  const exists = (path: string) => lstat(join(reading.bundle.dir, path)).then(Boolean, () => false);
  const isFolderOnly = folder !== given && !(await exists(given)) && (await exists(folder));
  const found = await findInBundle(reading, "evaluation_script", isFolderOnly ? folder : given);
  if (!found) return;
  const isFile = !found.isFolder && folder === given;
  draft.files.push({ from: found.path, to: isFile ? "evaluation_script/main.py" : "evaluation_script" });
}

async function describe(reading: Reading, given: EvalaiChallenge, draft: Draft): Promise<string> {
  const pages: Page[] = [];
  const add = async (field: string, title: string, path: string | null | undefined) => {
    const text = path ? await readPage(reading, field, path) : null;
    if (text !== null) pages.push({ title, text });
  };
  await add("description", "", given.description);
  await add("evaluation_details", "Evaluation", given.evaluation_details);
  await add("submission_guidelines", "How to submit", given.submission_guidelines);
  for (const [at, one] of given.challenge_phases.entries())
    await add(`challenge_phases[${at}].description`, one.name, one.description);
  if (given.leaderboard_description)
    pages.push({ title: "Leaderboard", text: given.leaderboard_description });
  await add("terms_and_conditions", "Terms and conditions", given.terms_and_conditions);
  if (given.image) await addPicture(reading, "image", given.image, draft);
  return descriptionOf(given.short_description ?? "", pages);
}
