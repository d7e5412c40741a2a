/** A mutant that no test notices, and why none has to. */
export interface NamedSurvivor {
  file: string;
  /** The line of the source, without indentation. */
  source: string;
  /** As `npm run mutate` prints it. */
  change: string;
  because: string;
}

/** Several of one line with the same reason. */
function same(file: string, source: string, because: string, changes: readonly string[]): NamedSurvivor[] {
  return changes.map((change) => ({ file, source, change, because }));
}

const FILE_NAME = "shared/src/protocol/file-name.ts";
const UPDATE_BOARDS = "broker/src/domain/submissions/update-boards.ts";
const WRITE_OUTCOME = "broker/src/domain/submissions/write-outcome.ts";
const OUTPUT_READER = "grader/src/box/output-reader.ts";
const HOST_FILES = "grader/src/box/bubblewrap/host-files.ts";
const EMBEDDED_REPORTS = "shared/src/queue/embedded-reports.ts";
const CHECK_ACTION = "grader/src/environment/check-action.ts";

/** Each was looked at. `npm run mutate` fails where one of them is not a survivor any more. */
export const SURVIVORS: readonly NamedSurvivor[] = [
  ...same(
    CHECK_ACTION,
    'if (typeof value !== "object" || value === null) return null;',
    "null has no names to look at; the compiler asks for the comparison",
    ["value === null → false"],
  ),
  ...same(
    CHECK_ACTION,
    "if (Array.isArray(value)) {",
    "a faster way through long lists, with the result of the way through objects",
    [
      "Array.isArray(value) → false",
      '{ for (let i = 0; i < value.length; i++) { const item = value[i]; if (typeof item === "number") { if … → {}',
    ],
  ),
  ...same(
    CHECK_ACTION,
    "for (let i = 0; i < value.length; i++) {",
    "undefined follows, and counts as a text",
    ["i < value.length → i <= value.length"],
  ),
  ...same(CHECK_ACTION, '} else if (typeof item === "object") {', "saves a call for each text", [
    'typeof item === "object" → true',
  ]),
  ...same(
    "broker/src/domain/submissions/cancel-submission.ts",
    "if (events.length > 0 && row.accepted_at === null) await removeUnaccepted(context, row);",
    "a repeated message would remove again what is gone",
    ["events.length > 0 → true", "events.length > 0 → events.length >= 0"],
  ),
  ...same(
    UPDATE_BOARDS,
    "(!isPrevious(board) || (border !== null && row.created_at <= border)),",
    "no time is before null; the compiler asks for the comparison",
    ["border !== null → true"],
  ),
  ...same(
    UPDATE_BOARDS,
    "(await anyDecision(trx, { participant: row.participant_id })) !== undefined &&",
    "a short statement that saves a long one",
    ["(await anyDecision(trx, { participant: row.participant_id })) !== undefined → true"],
  ),
  ...same(
    WRITE_OUTCOME,
    'const isFirst = row.state !== "graded" && row.outside_status === null && row.baseline === 0;',
    "a faster way for most grades, with the result of reading all of a participant's",
    ['row.state !== "graded" && row.outside_status === null && row.baseline === 0 → false'],
  ),
  ...same(
    WRITE_OUTCOME,
    'if (ranked) await settleSlot(trx, row.id, "charged", "graded", now);',
    "saves a statement where there is no slot",
    ["ranked → true"],
  ),
  ...same(
    WRITE_OUTCOME,
    "if (finals > 0) await updateFinalStanding(trx, row, finals);",
    "making the final board again takes longer, with the same result",
    ["finals > 0 → false"],
  ),
  ...same(
    WRITE_OUTCOME,
    ": { sort_primary: null, sort_secondary: null };",
    "the columns of what is not ranked were never anything else; the compiler asks for them",
    ["{ sort_primary: null, sort_secondary: null } → {}"],
  ),
  ...same(
    "broker/src/records/group-commit.ts",
    "export function createGroupCommit(run: (sql: string) => void, now = () => performance.now()): GroupCommit {",
    "tests bring a clock of their own; without one, a commit would only wait for more to share it",
    ["() => performance.now() → () => undefined"],
  ),
  ...same(
    "shared/src/queue/fair-queue.ts",
    "else if (head > 1000 && head * 2 > jobs.length) lists.set(key, { jobs: jobs.slice(head), head: 0 });",
    "jobs that were taken are forgotten sooner or later: it costs memory or time, and changes no order",
    [
      "head > 1000 && head * 2 > jobs.length → true",
      "head > 1000 && head * 2 > jobs.length → false",
      "head > 1000 && head * 2 > jobs.length → head > 1000 || head * 2 > jobs.length",
      "head > 1000 → true",
      "head > 1000 → head >= 1000",
      "head > 1000 → head <= 1000",
      "head * 2 > jobs.length → true",
      "head * 2 > jobs.length → head * 2 >= jobs.length",
      "head * 2 > jobs.length → head * 2 <= jobs.length",
      "head * 2 → head / 2",
    ],
  ),
  ...same(
    HOST_FILES,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of source
    '["usr", ...names.filter((name) => !isLink(name))].map((name) => [`/${name}`, `/${name}`]),',
    "machines that run the tests have nothing but links beside /usr",
    ["(name) => !isLink(name) → () => undefined"],
  ),
  ...same(
    HOST_FILES,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of source
    "links: names.filter(isLink).map((name) => [readlinkSync(`/${name}`), `/${name}`]),",
    "machines that run the tests have nothing but links beside /usr",
    ["names.filter(isLink) → names"],
  ),
  ...same(
    OUTPUT_READER,
    "held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);",
    "saves a copy of most chunks",
    ["held.length === 0 → false"],
  ),
  ...same(
    OUTPUT_READER,
    "if (!made.has(dirname(path))) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });",
    "saves a system call for each file",
    ["!made.has(dirname(path)) → true"],
  ),
  ...same(OUTPUT_READER, "made.add(dirname(path));", "saves a system call for each file", [
    "made.add(dirname(path)); → ;",
  ]),
  ...same(
    EMBEDDED_REPORTS,
    "if (items.length === 0) queues.delete(submission);",
    "an empty queue costs memory alone",
    ["items.length === 0 → false", "queues.delete(submission); → ;"],
  ),
  ...same(EMBEDDED_REPORTS, "} finally {", "a write that has ended costs memory alone", [
    "{ receiver.applying.delete(applying); } → {}",
  ]),
  ...same(
    EMBEDDED_REPORTS,
    "receiver.applying.delete(applying);",
    "a write that has ended costs memory alone",
    ["receiver.applying.delete(applying); → ;"],
  ),
  ...same(EMBEDDED_REPORTS, 'signal.removeEventListener("abort", end);', "a listener costs memory alone", [
    'signal.removeEventListener("abort", end); → ;',
  ]),
  ...same(
    FILE_NAME,
    "const PLAIN = /^[\\w-]+(\\.[\\w-]+)*$/;",
    "names that do not match are looked at by each rule, with the same result",
    [
      "/^[\\w-]+(\\.[\\w-]+)*$/ → /^[\\w-](\\.[\\w-]+)*$/",
      "/^[\\w-]+(\\.[\\w-]+)*$/ → /^[\\w-]+(\\.[\\w-]+)$/",
      "/^[\\w-]+(\\.[\\w-]+)*$/ → /^[\\w-]+(\\.[\\w-])*$/",
    ],
  ),
  ...same(
    FILE_NAME,
    "if (name.length <= MAX_NAME_BYTES && PLAIN.test(name) && !DEVICE.test(name)) return null;",
    "a faster way for most names, with the result of the rules that follow",
    [
      "name.length <= MAX_NAME_BYTES && PLAIN.test(name) && !DEVICE.test(name) → false",
      "name.length <= MAX_NAME_BYTES → name.length < MAX_NAME_BYTES",
    ],
  ),
  ...same(
    FILE_NAME,
    'const folder = path.slice(0, path.lastIndexOf("/") + 1);',
    "each path is then checked whole, which takes longer",
    ['path.slice(0, path.lastIndexOf("/") + 1) → path'],
  ),
  ...same(
    FILE_NAME,
    'if (folder !== "" && folder === lastFolder) return nameProblem(path.slice(folder.length));',
    "a faster way for many files of a folder, with the result of checking the path whole",
    [
      'folder !== "" && folder === lastFolder → false',
      'folder !== "" → true',
      'folder !== "" → folder === ""',
    ],
  ),
  ...same(
    FILE_NAME,
    "if (end >= 0 && !first.has(folder)) {",
    "no path begins with a slash: fileNameProblem refuses it",
    ["end >= 0 → end > 0"],
  ),
  ...same(FILE_NAME, "first.add(folder);", "folders are then looked at again, with the same result", [
    "first.add(folder); → ;",
  ]),
  ...same(
    "grader/src/environment/referee.ts",
    "if (text.length > MAX_STEP_BYTES / 3 && Buffer.byteLength(text) > MAX_STEP_BYTES) {",
    "saves counting the bytes of a short text",
    [
      "text.length > MAX_STEP_BYTES / 3 → true",
      "text.length > MAX_STEP_BYTES / 3 → text.length >= MAX_STEP_BYTES / 3",
    ],
  ),
];
