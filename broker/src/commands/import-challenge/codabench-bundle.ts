import { z } from "zod";
import { challengeId, type Draft, type Reading, roundIds } from "./draft.ts";
import { type Found, findInBundle, isArchive } from "./find-in-bundle.ts";
import { leaveOutFields } from "./left-out-fields.ts";
import { descriptionOf, lineOf, type Page, readPage } from "./page-text.ts";
import { addPicture } from "./picture.ts";
import { countField, issueLines, switchField, textField, timeField } from "./read-yaml.ts";

const column = z.looseObject({
  title: textField.optional(),
  key: textField,
  index: z.coerce.number().default(0),
  sorting: z.string().default("desc"),
  precision: z.coerce.number().int().min(0).max(15).catch(2),
  computation: textField.nullish(),
  hidden: switchField,
});
const task = z.looseObject({
  index: z.coerce.number(),
  name: textField.optional(),
  key: textField.optional(),
  scoring_program: textField.optional(),
  reference_data: textField.optional(),
});
const phase = z.looseObject({
  index: z.coerce.number().default(0),
  name: textField,
  description: textField.nullish(),
  start: timeField,
  end: timeField,
  max_submissions_per_day: countField,
  max_submissions: countField,
  execution_time_limit: countField,
  execution_time_limit_ms: countField,
  tasks: z.array(z.coerce.number()).min(1, "expected the index of a task"),
  starting_kit: textField.nullish(),
  public_data: textField.nullish(),
});
const competition = z.looseObject({
  version: z.coerce.string().default(""),
  title: textField,
  description: textField.nullish(),
  image: textField.nullish(),
  terms: textField.nullish(),
  registration_auto_approve: switchField,
  pages: z.array(z.looseObject({ title: textField.default(""), file: textField })).nullish(),
  enable_detailed_results: switchField,
  tasks: z.array(task).min(1, "expected a task"),
  phases: z.array(phase).min(1, "expected a phase"),
  leaderboards: z
    .array(
      z.looseObject({ title: textField.optional(), columns: z.array(column).min(1, "expected a column") }),
    )
    .min(1, "expected a leaderboard"),
});
type Competition = z.infer<typeof competition>;
type Task = z.infer<typeof task>;

const ADD_PARTICIPANTS = "everyone with a key may take part: see crowdai-broker participant add";
const OWN_GRADERS = "programs run on your graders: install there what they import";
const NOT_HERE = "there is no such setting";
const REASONS = {
  docker_image: OWN_GRADERS,
  queue: OWN_GRADERS,
  solutions: "solutions may give answers away; submit them yourself as baselines",
  make_programs_available: "the scoring program is private; copy it into public/ to show it",
  make_input_data_available: "put what participants may download into public/",
  forum_enabled: "there is no forum",
  enable_forum: "there is no forum",
  contact_email: "write it into the description",
  reward: "write it into the description",
  report: NOT_HERE,
  fact_sheet: "there is no form beside a submission; participants write a message",
  whitelist_emails: "participants have keys, not addresses",
  auto_run_submissions: "submissions are graded as they come",
  can_participants_make_submissions_public: "participants publish their code with crowdai publish",
  allow_robot_submissions: "every participant may submit from a program",
  has_registration: ADD_PARTICIPANTS,
  force_submission_to_leaderboard: "the best submission counts",
  disallow_leaderboard_modifying: NOT_HERE,
  show_detailed_results_in_submission_panel: "detailed_results says it for all",
  show_detailed_results_in_leaderboard: "only the author of a submission sees its detailed results",
};
const PHASE_REASONS = {
  auto_migrate_to_this_phase: "submissions stay in their round; participants submit again",
  hide_output:
    "participants never get the output of the scoring program, besides its scores and detailed results",
  hide_prediction_output: NOT_HERE,
  hide_score_output: "evaluator.private_results hides scores by name",
};
const TASK_REASONS = {
  ingestion_program:
    "no program runs before the scoring program; participants submit what it finds in $input/res",
  input_data: "it is for the ingestion program, and was not copied, because it may be secret",
  ingestion_only_during_scoring: "no program runs before the scoring program",
};

/** Reads a bundle of Codabench (competition.yaml, version 2). Null when problems were reported. */
export async function readCodabench(
  reading: Reading,
  content: Record<string, unknown>,
): Promise<Draft | null> {
  const { problem } = reading;
  if (content.version === undefined && ("leaderboard" in content || "html" in content)) {
    problem(
      "it is a bundle of CodaLab (version 1.5); upload it to Codabench, which converts it, and export it there",
    );
    return null;
  }
  const parsed = competition.safeParse(content);
  if (!parsed.success) {
    for (const line of issueLines(parsed.error.issues)) problem(line);
    return null;
  }
  const given = parsed.data;
  if (!["2", "2.0", ""].includes(given.version))
    problem(`version: expected 2, got ${given.version.slice(0, 20)}`);
  leaveOutFields(reading, given, {
    ...{ known: [...Object.keys(competition.shape), "migrated_at"], reasons: REASONS },
  });
  if (given.registration_auto_approve === false)
    reading.leaveOut("registration_auto_approve: false", ADD_PARTICIPANTS);
  const draft: Draft = { config: { id: "", title: lineOf(given.title) }, files: [], leftOut: [] };
  const scores = scoreFields(reading, given);
  const evaluated = await readPhases(reading, given, draft);
  draft.config = {
    id: challengeId(reading, given.title),
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
  };
  return draft;
}

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
      ...{ known: [...Object.keys(task.shape), "description", "is_public"], reasons: TASK_REASONS },
      where: `task ${one.index}: `,
    });
  }
  const rounds: object[] = [];
  const references = new Map<string, string>();
  let program: { task: Task; found: Found | null } | null = null;
  for (const [at, one] of phases.entries()) {
    const where = `phase ${JSON.stringify(one.name)}`;
    leaveOutFields(reading, one, {
      ...{ known: Object.keys(phase.shape), reasons: PHASE_REASONS, where: `${where}: ` },
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
    if (used.scoring_program !== program.task.scoring_program)
      leaveOut(
        `${where}: ${used.scoring_program}`,
        `a challenge has one scoring program: ${program.task.scoring_program}`,
      );
    if (used.reference_data !== undefined) references.set(ids[at]!, used.reference_data);
    rounds.push(roundOf(reading, one, { id: ids[at]!, where, next: phases[at + 1] }));
    await takePublic(reading, one, where, draft);
  }
  if (program?.found) draft.files.push({ from: program.found.path, to: "program" });
  const reference = await takeReferences(reading, ids, references, draft);
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
  { id, where, next }: { id: string; where: string; next: { start: string | null } | undefined },
): object {
  const ends = end ?? next?.start ?? null;
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

/** What participants download. */
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
    draft.files.push({ from: found.path, to: `public/${field}` });
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
