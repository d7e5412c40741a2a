import { basename } from "node:path";
import {
  ADD_PARTICIPANTS,
  BEST_COUNTS,
  type Competition,
  codabenchCompetition,
  codabenchPhase,
  codabenchTask,
  PHASE_REASONS,
  REASONS,
  TASK_REASONS,
  type Task,
} from "./codabench-format.ts";
import { fromCodalab, isCodalab } from "./codalab-bundle.ts";
import { type Draft, importedChallengeId, type Reading, roundIds } from "./draft.ts";
import { type Found, findInBundle, isArchive } from "./find-in-bundle.ts";
import { leaveOutFields } from "./left-out-fields.ts";
import { descriptionOf, lineOf, type Page, readPage } from "./page-text.ts";
import { addPicture } from "./picture.ts";
import { issueLines } from "./read-yaml.ts";

/**
 * Reads a bundle of Codabench (competition.yaml, version 2) or CodaLab (version 1.5). Null when problems were
 * reported.
 */
export async function readCodabench(
  reading: Reading,
  content: Record<string, unknown>,
): Promise<Draft | null> {
  const { problem } = reading;
  const parsed = codabenchCompetition.safeParse(isCodalab(content) ? fromCodalab(content) : content);
  if (!parsed.success) {
    for (const line of issueLines(parsed.error.issues)) problem(line);
    return null;
  }
  const given = parsed.data;
  if (!["2", "2.0", ""].includes(given.version))
    problem(`version: expected 2, got ${given.version.slice(0, 20)}`);
  leaveOutFields(reading, given, {
    ...{ known: [...Object.keys(codabenchCompetition.shape), "migrated_at"], reasons: REASONS },
  });
  if (given.registration_auto_approve === false)
    reading.leaveOut("registration_auto_approve: false", ADD_PARTICIPANTS);
  const draft: Draft = { config: { id: "", title: lineOf(given.title) }, files: [], leftOut: [] };
  const scores = scoreFields(reading, given);
  const evaluated = await readPhases(reading, given, draft);
  draft.config = {
    id: importedChallengeId(reading, given.title),
    title: lineOf(given.title),
    description: await describe(reading, given, draft),
    ...scores.fields,
    rounds: evaluated.rounds,
    accepts: { file: {} },
    evaluator: {
      codabench: "program/",
      ...(evaluated.reference === null ? {} : { reference: evaluated.reference }),
      ...scores.names,
      detailed_results: given.enable_detailed_results === true,
      ...(evaluated.seconds === null ? {} : { timeout_seconds: evaluated.seconds }),
    },
    ...(hidesBoard(given) ? { visibility: { leaderboard: false } } : {}),
  };
  return draft;
}

const hidesBoard = ({ leaderboards, phases }: Competition): boolean =>
  leaderboards[0]!.hidden === true ||
  phases.some((one) => one.leaderboard_management_mode === "hide_results");

async function describe(reading: Reading, given: Competition, draft: Draft): Promise<string> {
  const pages: Page[] = [];
  const add = async (field: string, title: string, path: string) => {
    const text = await readPage(reading, field, path);
    if (text !== null) pages.push({ title, text });
  };
  for (const [index, page] of (given.pages ?? []).entries())
    await add(`pages[${index}].file`, page.title, page.file);
  for (const { name, description } of given.phases)
    if (description) pages.push({ title: name, text: description });
  if (given.terms) await add("terms", "Terms", given.terms);
  if (given.image) await addPicture(reading, "image", given.image, draft);
  return descriptionOf(given.description ?? "", pages);
}

/** Makes score, columns and the names of the evaluator's metrics from the first leaderboard. */
function scoreFields(reading: Reading, { leaderboards }: Competition) {
  const { leaveOut } = reading;
  const [first, ...others] = leaderboards;
  for (const { title } of others)
    leaveOut(
      `leaderboard ${JSON.stringify(title ?? "")}`,
      "a challenge has one board, of the first leaderboard",
    );
  const rule = first!.submission_rule;
  if (rule && !/best/i.test(rule)) leaveOut(`leaderboard: submission_rule: ${rule}`, BEST_COUNTS);
  const all = first!.columns.toSorted((a, b) => a.index - b.index);
  for (const { key, computation } of all)
    if (computation)
      leaveOut(
        `column ${JSON.stringify(key)}`,
        "the board computes no columns; let the scoring program write it",
      );
  const columns = all.filter(({ computation }) => !computation);
  const hidden = columns.filter((one) => one.hidden).map(({ key }) => key);
  if (hidden.length > 0)
    leaveOut(
      `hidden columns ${hidden.join(", ")}`,
      "organizers alone see them, with crowdai-broker; they are in private_results",
    );
  const shown = columns.filter((one) => !one.hidden);
  const [score, second, ...rest] = shown;
  if (!score) {
    reading.problem("leaderboards: expected a column that is neither hidden nor computed");
    return { fields: {}, names: {} };
  }
  const scale = ({ title, key, sorting, precision }: (typeof shown)[number]) => ({
    title: lineOf(title ?? key, 60),
    order: /^asc/i.test(sorting) ? "ascending" : "descending",
    precision,
  });
  return {
    fields: {
      score: scale(score),
      ...(second ? { score_secondary: scale(second) } : {}),
      ...(rest.length > 0
        ? { columns: rest.slice(0, 20).map((one) => ({ key: one.key, ...scale(one) })) }
        : {}),
    },
    names: {
      ...(second ? { metrics: [score.key, second.key] } : { metric: score.key }),
      ...(hidden.length > 0 ? { private_results: hidden } : {}),
    },
  };
}

async function readPhases(reading: Reading, given: Competition, draft: Draft) {
  const { problem, leaveOut } = reading;
  const phases = given.phases.toSorted((a, b) => a.index - b.index);
  const ids = roundIds(phases.map(({ name }) => name));
  const tasks = new Map<number, Task>();
  for (const [index, one] of given.tasks.entries()) {
    if (tasks.has(one.index))
      problem(`tasks[${index}].index: ${one.index} is the index of another task, too`);
    tasks.set(one.index, one);
    leaveOutFields(reading, one, {
      ...{ known: [...Object.keys(codabenchTask.shape), "description", "is_public"], reasons: TASK_REASONS },
      where: `task ${one.index}: `,
    });
  }
  const rounds: object[] = [];
  const taken: string[] = [];
  const references = new Map<string, string>();
  let program: { task: Task; found: Found | null } | null = null;
  for (const [at, one] of phases.entries()) {
    const where = `phase ${JSON.stringify(one.name)}`;
    if (one.is_closed) {
      leaveOut(where, "it takes no submissions (max_submissions: 0)");
      continue;
    }
    leaveOutFields(reading, one, {
      ...{ known: Object.keys(codabenchPhase.shape), reasons: PHASE_REASONS, where: `${where}: ` },
    });
    if (one.tasks.length > 1)
      leaveOut(
        `${where}: tasks ${one.tasks.slice(1).join(", ")}`,
        "a submission is graded by one task, the first",
      );
    const used = tasks.get(one.tasks[0]!);
    if (!used) {
      problem(`${where}: there is no task ${one.tasks[0]}`);
      continue;
    }
    if (used.scoring_program === undefined) {
      problem(
        used.key === undefined
          ? `task ${used.index}: scoring_program: expected a file or folder, got none`
          : `task ${used.index}: it is stored on Codabench (key ${used.key}); export the bundle with its files`,
      );
      continue;
    }
    program ??= {
      task: used,
      found: await findInBundle(reading, `task ${used.index}: scoring_program`, used.scoring_program),
    };
    if (used.scoring_program !== program.task.scoring_program) {
      const reason = `its scoring program is ${used.scoring_program}, and a challenge has one: ${program.task.scoring_program}`;
      leaveOut(where, `${reason}; make a challenge of its own for it`);
      continue;
    }
    taken.push(ids[at]!);
    if (used.reference_data !== undefined) references.set(ids[at]!, used.reference_data);
    rounds.push(roundOf(reading, one, { id: ids[at]!, where, later: phases.slice(at + 1) }));
    await takePublic(reading, one, where, draft);
  }
  if (program?.found) draft.files.push({ from: program.found.path, to: "program" });
  const reference = await takeReferences(reading, taken, references, draft);
  const limits = phases.map(
    (one) =>
      one.execution_time_limit ??
      (one.execution_time_limit_ms === null ? null : Math.ceil(one.execution_time_limit_ms / 1000)),
  );
  const seconds = limits.reduce<number | null>((most, limit) => Math.max(most ?? 0, limit ?? 600), null);
  return { rounds, reference, seconds: limits.every((limit) => limit === null) ? null : seconds };
}

function roundOf(
  { leaveOut }: Reading,
  { name, start, end, max_submissions_per_day: day, max_submissions: total }: Competition["phases"][number],
  { id, where, later }: { id: string; where: string; later: readonly { start: string | null }[] },
): object {
  const ends = end ?? later.find((other) => (other.start ?? "") > (start ?? ""))?.start ?? null;
  if (end === null && ends !== null)
    leaveOut(`${where}: a missing end`, "its round ends when the next one starts");
  if (day !== null && total !== null)
    leaveOut(`${where}: max_submissions (${total})`, `a round has one limit, which is ${day} a day`);
  const limit =
    day !== null
      ? { count: day, per: "day", scope: "round" }
      : total === null
        ? null
        : { count: total, per: "round" };
  return { id, title: lineOf(name), starts_at: start, ends_at: ends, limit };
}

/** Copies the files that participants download. */
async function takePublic(
  reading: Reading,
  given: Competition["phases"][number],
  where: string,
  draft: Draft,
): Promise<void> {
  for (const field of ["starting_kit", "public_data"] as const) {
    const path = given[field];
    if (!path) continue;
    const found = await findInBundle(reading, `${where}: ${field}`, path);
    if (!found || draft.files.some(({ from }) => from === found.path)) continue;
    const name = found.isFolder ? field : basename(found.path);
    if (!draft.files.some(({ to }) => to === `public/${name}`))
      draft.files.push({ from: found.path, to: `public/${name}`, asIs: true });
  }
}

/** Puts the reference data of all rounds into private/. Returns its path there, or one for each round. */
async function takeReferences(
  reading: Reading,
  ids: readonly string[],
  references: ReadonlyMap<string, string>,
  draft: Draft,
): Promise<string | Record<string, string> | null> {
  const paths = new Set(references.values());
  if (paths.size === 0) return null;
  const isOne = paths.size === 1 && references.size === ids.length;
  const places = new Map<string, string>();
  for (const [id, path] of references) {
    if (places.has(path)) continue;
    const found = await findInBundle(reading, "reference_data", path);
    const folder = isOne ? "private/reference" : `private/${id}`;
    const holdsFiles = !found || found.isFolder || isArchive(found);
    if (found)
      draft.files.push({ from: found.path, to: holdsFiles ? folder : `${folder}/${path.split("/").at(-1)}` });
    places.set(path, `${folder}/`);
  }
  if (isOne) return [...places.values()][0]!;
  return Object.fromEntries([...references].map(([id, path]) => [id, places.get(path)!]));
}
