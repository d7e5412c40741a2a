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
const MODELS = "broker/src/domain/submissions/models.ts";
const UPDATE_BOARDS = "broker/src/domain/submissions/update-boards.ts";
const WRITE_OUTCOME = "broker/src/domain/submissions/write-outcome.ts";
const OUTPUT_READER = "grader/src/box/output-reader.ts";
const OCI = "grader/src/box/oci";
const SUPERVISE_BOX = "grader/src/box/supervise-box.ts";
const HOST_FILES = "grader/src/box/bubblewrap/host-files.ts";
const EMBEDDED_REPORTS = "shared/src/queue/embedded-reports.ts";
const REDIS = "shared/src/queue/redis";
const STEPS = "shared/src/step-channel";
const BOARDS = "broker/src/domain/leaderboard";
const RECORDS = "broker/src/records";
const CHECK_ACTION = "grader/src/environment/check-action.ts";

/** Each was looked at. `npm run mutate` fails where one of them is not a survivor any more. */
export const SURVIVORS: readonly NamedSurvivor[] = [
  ...same(
    `${STEPS}/embedded-step-channel.ts`,
    "leave();",
    "a grader that answers nothing takes memory only",
    ["leave(); → ;"],
  ),
  ...same(
    `${STEPS}/journal-files.ts`,
    "if (end < 0) break;",
    "the text that is read then is empty, which is not JSON: the loop ends there, too",
    ["end < 0 → false", "end < 0 → end <= 0"],
  ),
  ...same(
    "broker/src/domain/submissions/read-attempts.ts",
    "const outcome = text === null ? null : (JSON.parse(text) as Outcome);",
    "JSON.parse turns null into null; the compiler asks for the comparison",
    ["text === null → false"],
  ),
  ...same(
    "broker/src/domain/submissions/select-final.ts",
    "if (finals > 0) await updateFinalStanding(trx, row, finals);",
    "without a final score there is nothing to rank: it saves a query",
    ["finals > 0 → true", "finals > 0 → finals >= 0"],
  ),
  ...same(
    "broker/src/domain/submissions/view-submission.ts",
    "const isShown = scoreFinal !== null && (await isFinalShown(db, config, row.round, context.clock()));",
    "it saves a query: there is no score to show or to hide",
    ["scoreFinal !== null → true"],
  ),
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
    "broker/src/domain/submissions/announced-parts.ts",
    'if (!("parts" in input) || !input.parts) return;',
    "an input that has no parts has no such field; the compiler asks for the comparison",
    ['!("parts" in input) || !input.parts → !("parts" in input) && !input.parts'],
  ),
  ...same(
    "broker/src/domain/submissions/create-job.ts",
    "input_data === null ? null : JSON.parse(input_data);",
    "JSON.parse reads null as null; the compiler asks for the comparison",
    ["input_data === null → false"],
  ),
  ...same(
    "broker/src/domain/submissions/dispatcher.ts",
    "if (rows.length === 0) return true;",
    "saves a transaction that changes nothing",
    ["rows.length === 0 → false"],
  ),
  ...same(
    "broker/src/domain/submissions/dispatcher.ts",
    "const one = publishOne(row).finally(() => publishing.delete(one));",
    "a publication that has ended costs memory alone",
    ["() => publishing.delete(one) → () => undefined"],
  ),
  ...same(
    "broker/src/domain/regrade/enqueue-regrades.ts",
    "if (version !== regrade.version)",
    "saves a write that changes nothing",
    ["version !== regrade.version → true"],
  ),
  ...same(
    "broker/src/domain/regrade/swap-grades.ts",
    "if (keys.sort_primary === known.sort_primary && keys.sort_secondary === known.sort_secondary) continue;",
    "saves writes that change nothing",
    ["keys.sort_primary === known.sort_primary && keys.sort_secondary === known.sort_secondary → false"],
  ),
  ...same(MODELS, "if (model_count === 0) return [];", "saves a statement for most submissions", [
    "model_count === 0 → false",
  ]),
  ...same(MODELS, "if (model_count === 0) return;", "saves a statement for most submissions", [
    "model_count === 0 → false",
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
    "an unranked submission never had other values in these columns; the compiler asks for them",
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
    SUPERVISE_BOX,
    "requests.resume();",
    "a listener for data lets the stream flow already, and no other part relies on it",
    ["requests.resume(); → ;"],
  ),
  ...same(
    SUPERVISE_BOX,
    "over = true;",
    "a request between the exit of a box and its end gets the same answer, later",
    ["true → false"],
  ),
  ...same(
    SUPERVISE_BOX,
    "requests.destroy();",
    "Node.js reports a process as closed when this stream is; another runtime need not wait for it",
    ["requests.destroy(); → ;"],
  ),
  ...same(
    `${OCI}/container-config.ts`,
    'const COVERABLE = ["/proc/diskstats", "/proc/loadavg", "/proc/stat", "/proc/swaps"].filter((path) =>',
    "kernels that are tried have all of them; runc does not start a box that mounts over a missing one",
    [
      '["/proc/diskstats", "/proc/loadavg", "/proc/stat", "/proc/swaps"].filter((path) => existsSync(path), … → ["/proc/diskstats", "/proc/loadavg", "/proc/stat", "/proc/swaps"]',
    ],
  ),
  ...[`${OCI}/oci.ts`, "grader/src/box/bubblewrap/bubblewrap.ts"].flatMap((file) =>
    same(
      file,
      'if (process.getuid?.() !== 0) return { missing: "the grader does not run as root" };',
      "Linux always has the function; the compiler asks for the question mark",
      ["process.getuid?.() → process.getuid()"],
    ),
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
    `${REDIS}/reconnecting-connection.ts`,
    "waiting.delete(wake);",
    "waking again what was woken does nothing: it costs memory alone",
    ["waiting.delete(wake); → ;"],
  ),
  ...same(
    `${REDIS}/report-applier.ts`,
    "if (performance.now() >= heldUntil) continue;",
    "the moment itself: the report that it lets through was read within the lease",
    ["performance.now() >= heldUntil → performance.now() > heldUntil"],
  ),
  ...same(
    `${REDIS}/report-applier.ts`,
    "failures.delete(id);",
    "a finished report does not fail again: it costs memory alone",
    ["failures.delete(id); → ;"],
  ),
  ...same(
    `${REDIS}/report-applier.ts`,
    "const working = work(name, queue, clearing.signal).finally(() => busy.delete(working));",
    "work that has ended delays nothing: it costs memory alone",
    ["() => busy.delete(working) → () => undefined"],
  ),
  ...same(
    `${REDIS}/report-reader.ts`,
    'stopping.addEventListener("abort", () => reading.close(), { once: true });',
    "a signal is aborted once",
    ["{ once: true } → {}", "true → false"],
  ),
  ...same(
    `${REDIS}/report-reader.ts`,
    "} else if (applier.failingFor() > GIVE_UP_MS) {",
    "a millisecond of three seconds",
    ["applier.failingFor() > GIVE_UP_MS → applier.failingFor() >= GIVE_UP_MS"],
  ),
  ...same(
    `${REDIS}/report-reader.ts`,
    "if (leaseEnd - performance.now() < READER_LEASE_MS - RENEW_MS && !(await renew())) {",
    "a millisecond of a second",
    [
      "leaseEnd - performance.now() < READER_LEASE_MS - RENEW_MS → leaseEnd - performance.now() <= READER_LEASE_MS - RENEW_MS",
    ],
  ),
  ...same(
    `${REDIS}/redis-url.ts`,
    'const [, scheme, kind, credentials, hosts = "", path = "", query] = SHAPE.exec(url) ?? [];',
    "the first element is the whole match, which nothing reads",
    ['[] → ["Stryker was here"]'],
  ),
  ...same(
    `${REDIS}/redis-url.ts`,
    "const [, bracketed, plain, port] = /^(?:\\[([^\\]]+)\\]|([^:[\\]]+))(?::(\\d{1,5}))?$/.exec(text) ?? [];",
    "the first element is the whole match, which nothing reads",
    ['[] → ["Stryker was here"]'],
  ),
  ...same(
    `${REDIS}/redis-url.ts`,
    "...(commandMs === undefined ? {} : { commandTimeout: commandMs }),",
    "without a value there is no limit; the compiler asks for the comparison",
    ["commandMs === undefined → false"],
  ),
  ...same(`${REDIS}/consumer.ts`, "() => false,", "undefined does not count as a failure either", [
    "() => false → () => undefined",
  ]),
  ...same(
    `${REDIS}/consumer.ts`,
    "runningJobs.all().some(({ settled }) => settled !== null) || adopted.length + invalid.length > 0;",
    "after a read, an exchange comes in any case",
    ["adopted.length + invalid.length → adopted.length - invalid.length"],
  ),
  ...same(`${REDIS}/consumer.ts`, "if (read) reading.interrupt();", "there is nothing to interrupt then", [
    "read → true",
  ]),
  ...same(
    `${REDIS}/consumer.ts`,
    "if (free > 0 && !read && performance.now() - claimedAt > CLAIM_EVERY_MS) await claim(free);",
    "asks for no job, or for one less because of the read, which costs a round trip",
    [
      "free > 0 && !read → true",
      "free > 0 && !read → free > 0 || !read",
      "free > 0 → true",
      "free > 0 → free >= 0",
    ],
  ),
  ...same(`${REDIS}/consumer.ts`, "isEmpty = false;", "the read that follows finds the jobs as well", [
    "false → true",
  ]),
  ...same(`${REDIS}/consumer.ts`, "clearTimeout(timer);", "wakes a consumer that then waits again", [
    "clearTimeout(timer); → ;",
  ]),
  ...same(
    `${REDIS}/consumer.ts`,
    'stopping.removeEventListener("abort", onStop);',
    "there is nothing to wake any more: it costs memory alone",
    ['stopping.removeEventListener("abort", onStop); → ;'],
  ),
  ...same(
    `${REDIS}/consumer.ts`,
    "if (free > 0 && !read && performance.now() - claimedAt > CLAIM_EVERY_MS) await claim(free);",
    "a millisecond of 700",
    ["performance.now() - claimedAt > CLAIM_EVERY_MS → performance.now() - claimedAt >= CLAIM_EVERY_MS"],
  ),
  ...same(
    `${REDIS}/consumer.ts`,
    "await takeAll(await leases.claim(served(), free), performance.now() - claimedAt);",
    "one more heartbeat costs a round trip",
    ["performance.now() - claimedAt → performance.now() + claimedAt"],
  ),
  ...same(
    `${REDIS}/consumer.ts`,
    "if (added.length > 0 && waitedMs > leaseMs / 3) await leases.beat();",
    "one more heartbeat costs a round trip",
    ["added.length > 0 → true", "added.length > 0 → added.length >= 0"],
  ),
  ...same(
    `${REDIS}/redis-queue.ts`,
    "let attached: { at: number; graders: AttachedGrader[] } = { at: Number.NEGATIVE_INFINITY, graders: [] };",
    "a list of that age is not returned",
    ['[] → ["Stryker was here"]'],
  ),
  ...same(
    `${REDIS}/redis-queue.ts`,
    "await working.finally(() => readers.delete(working));",
    "a reader that has ended delays no end of the queue: it costs memory alone",
    ["() => readers.delete(working) → () => undefined"],
  ),
  ...same(
    `${REDIS}/redis-queue.ts`,
    'consumption.signal.removeEventListener("abort", onStop);',
    "a grader that ends before its signal is aborted ends because the queue is closed, when nothing counts them",
    ['consumption.signal.removeEventListener("abort", onStop); → ;'],
  ),
  ...same(
    `${REDIS}/redis-queue.ts`,
    "if (consumption.signal.aborted) ending--;",
    "a grader that ends before its signal is aborted ends because the queue is closed, when nothing counts them",
    ["consumption.signal.aborted → true"],
  ),
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
  ...same(
    `${BOARDS}/leaderboard.ts`,
    "if (query.viewer === null) return { total: 0, rows: [] };",
    "no participant has the id null: it saves the queries",
    ["query.viewer === null → false"],
  ),
  ...same(
    `${BOARDS}/leaderboard.ts`,
    ".$if(teams.length > 0, (named) =>",
    "SQLite accepts an empty list, and PostgreSQL, on which no mutants run, does not",
    ["teams.length > 0 → true", "teams.length > 0 → teams.length >= 0"],
  ),
  ...same(
    `${BOARDS}/board-csv.ts`,
    "if (offset + PAGE >= board.total) return text;",
    "reads empty pages after the last one",
    ["offset + PAGE >= board.total → offset + PAGE > board.total", "offset + PAGE → offset - PAGE"],
  ),
  ...same(
    `${BOARDS}/board-rows.ts`,
    '.$if(columns.length > 0, (query) => query.select("submissions.data"))',
    "saves reading what no row shows",
    ["columns.length > 0 → true", "columns.length > 0 → columns.length >= 0"],
  ),
  ...same(
    `${BOARDS}/board-rows.ts`,
    "if (before === null) return new Map();",
    "then no standing has a place before; the compiler asks for the comparison",
    ["before === null → false"],
  ),
  ...same(
    `${BOARDS}/board-blocks.ts`,
    "for (const column of COLUMNS) if (one[column] !== other[column]) return one[column] < other[column];",
    "the two differ",
    ["one[column] < other[column] → one[column] <= other[column]"],
  ),
  ...same(
    `${BOARDS}/board-blocks.ts`,
    "index === 0",
    "SQLite needs no types, and PostgreSQL, on which no mutants run, does",
    ["index === 0 → true", "index === 0 → false", "index === 0 → index !== 0"],
  ),
  ...same(
    `${BOARDS}/board-blocks.ts`,
    "while (low < high) {",
    "counts from the first block on, which takes longer",
    ["low < high → false"],
  ),
  ...same(
    `${BOARDS}/board-blocks.ts`,
    "if (isBefore(key, blocks[middle]!)) high = middle - 1;",
    "counts from the first block on, which takes longer",
    ["isBefore(key, blocks[middle]!) → true"],
  ),
  ...same(
    `${BOARDS}/board-blocks.ts`,
    "const counts: number[] = [];",
    "every place up to the last is written, from the first on",
    ['[] → ["Stryker was here"]'],
  ),
  ...same(
    `${BOARDS}/board-watch.ts`,
    "if (left > 0) watchesOf.set(name, left);",
    "a client without watches is counted the same when it is remembered with none",
    ["left > 0 → true", "left > 0 → left >= 0"],
  ),
  ...same(
    `${BOARDS}/board-watch.ts`,
    "else watchesOf.delete(name);",
    "a client without watches is counted the same when it is remembered with none",
    ["watchesOf.delete(name); → ;"],
  ),
  ...same(
    `${BOARDS}/board-watch.ts`,
    "if (mine.size === 0) listeners.delete(challenge);",
    "a challenge without listeners takes memory only",
    ["mine.size === 0 → false", "listeners.delete(challenge); → ;"],
  ),
  ...same(
    `${BOARDS}/board-watch.ts`,
    "timer.unref();",
    "the broker closes the watch at its end: it matters only to a process that does not",
    ["timer.unref(); → ;"],
  ),
  ...same(
    `${BOARDS}/final-board.ts`,
    "if (some) await fillFinalBoards(trx, { challenge, round: null });",
    "without final scores no round has a final board: it saves a statement",
    ["some → true"],
  ),
  ...same(
    `${BOARDS}/final-scores.ts`,
    "if (sortKeys(config, final_score, null).sort_primary !== sort_final)",
    "saves writing what is there",
    ["sortKeys(config, final_score, null).sort_primary !== sort_final → true"],
  ),
  ...same(
    `${BOARDS}/reveal-finals.ts`,
    "if (shown !== final_shown) await announce(records.db, round, shown);",
    "saves a statement that changes no row",
    ["shown !== final_shown → true"],
  ),
  ...same(
    `${BOARDS}/ranking-window.ts`,
    "if (target === border) continue;",
    "saves a step that changes nothing",
    ["target === border → false"],
  ),
  ...same(
    `${BOARDS}/ranking-window.ts`,
    "if (border !== null && target < border) {",
    "no text is less than null; the compiler asks for the comparison",
    ["border !== null → true"],
  ),
  ...same(
    `${RECORDS}/read-memory.ts`,
    "const id = ids.get(about) ?? ++objects;",
    "any number that no other object has",
    ["++objects → --objects"],
  ),
  ...same(
    `${RECORDS}/read-memory.ts`,
    "if (state !== latest) known.clear();",
    "what was read before a change has another name: it frees memory sooner",
    ["state !== latest → false", "known.clear(); → ;"],
  ),
  ...same(
    `${RECORDS}/statement.ts`,
    "const filled = { query: query.query, queryId, sql, parameters, comesAgain: true };",
    "the name of the property says it, whatever its value",
    ["true → false"],
  ),
  ...same(
    `${RECORDS}/sqlite.ts`,
    "log.grown();",
    "only a machine that loses its power shows it, as `npm run power-cut` does",
    ["log.grown(); → ;"],
  ),
  ...same(
    `${RECORDS}/sqlite.ts`,
    "failed: log.failed.then((error) => unwrittenDatabase(error, file)),",
    "only a disk that fails shows it, as broker/test/startup/failing-disk.test.ts does with a whole broker",
    ["(error) => unwrittenDatabase(error, file) → () => undefined"],
  ),
  ...same(
    `${RECORDS}/sqlite-query-compiler.ts`,
    "if (!ValueNode.is(node) || node.immediate) return node;",
    "such an operand stays as it is by the rule that follows, too",
    [
      "!ValueNode.is(node) || node.immediate → false",
      "!ValueNode.is(node) || node.immediate → !ValueNode.is(node) && node.immediate",
    ],
  ),
  ...same(
    `${RECORDS}/records.ts`,
    '"008-lean": { up: (at: Kysely<unknown>) => lean.up(at, dialect) },',
    "its test calls it directly, because later migrations change its tables again",
    ["(at: Kysely<unknown>) => lean.up(at, dialect) → () => undefined"],
  ),
  ...same(
    `${RECORDS}/sqlite-query-compiler.ts`,
    "OperatorNode.is(operator) &&",
    "the text then contains values of other comparisons too; the rows are those of parameters",
    [
      'OperatorNode.is(operator) && operator.operator === "=" && ReferenceNode.is(leftOperand) && ColumnNod … → true',
      'OperatorNode.is(operator) && operator.operator === "=" && ReferenceNode.is(leftOperand) && ColumnNod … → OperatorNode.is(operator) && operator.operator === "=" && ReferenceNode.is(leftOperand) || ColumnNod …',
      'OperatorNode.is(operator) && operator.operator === "=" && ReferenceNode.is(leftOperand) → true',
      'OperatorNode.is(operator) && operator.operator === "=" && ReferenceNode.is(leftOperand) → OperatorNode.is(operator) && operator.operator === "=" || ReferenceNode.is(leftOperand)',
      'OperatorNode.is(operator) && operator.operator === "=" → true',
      'OperatorNode.is(operator) && operator.operator === "=" → OperatorNode.is(operator) || operator.operator === "="',
    ],
  ),
  ...same(
    `${RECORDS}/sqlite-query-compiler.ts`,
    'operator.operator === "=" &&',
    "the text then contains values of other comparisons too; the rows are those of parameters",
    ['operator.operator === "=" → true'],
  ),
  ...same(
    `${RECORDS}/sqlite-dialect.ts`,
    'if (sql !== "commit") return;',
    "asks for the version more often; it changes with commits only",
    ['sql !== "commit" → false'],
  ),
  ...same(
    `${RECORDS}/sqlite-dialect.ts`,
    "groups.close();",
    "no group is open once the last transaction has ended",
    ["groups.close(); → ;"],
  ),
  ...same(
    `${RECORDS}/sqlite-dialect.ts`,
    "prepared.clear();",
    "closing the database frees its statements as well",
    ["prepared.clear(); → ;"],
  ),
  ...same(
    `${RECORDS}/sqlite-dialect.ts`,
    'return query.kind === "SelectQueryNode" || (query.kind === "RawNode" && /^\\s*select\\b/i.test(sql));',
    "the text of no other kind begins with select",
    ['query.kind === "RawNode" → true'],
  ),
  ...same(
    `${RECORDS}/sqlite-dialect.ts`,
    'if (query.kind === "RawNode") return /^\\s*(select|with|pragma)\\b|\\breturning\\b/i.test(sql);',
    "other kinds contain the word too when they return rows, and no statement that writes contains the others",
    [
      'query.kind === "RawNode" → true',
      "/^\\s*(select|with|pragma)\\b|\\breturning\\b/i → /\\s*(select|with|pragma)\\b|\\breturning\\b/i",
    ],
  ),
  ...same(
    `${RECORDS}/instance.ts`,
    'await markedStep("upload.marker", () => objects.put(MARKER, marker, { type: "application/json" }));',
    "only people who look into the store see the media type",
    ['{ type: "application/json" } → {}'],
  ),
  ...same(`${RECORDS}/instance.ts`, "} catch {", "nothing is as little an identity as null", [
    "{ return null; } → {}",
  ]),
  ...same(
    `${RECORDS}/data-lock.ts`,
    "accessSync(folder, constants.W_OK);",
    "only a user other than root is refused; it makes the message better",
    ["accessSync(folder, constants.W_OK); → ;"],
  ),
  ...same(
    `${BOARDS}/ranking-window.ts`,
    "if (border !== null && target < border) {",
    "a step is made only where the two differ",
    ["target < border → target <= border"],
  ),
  ...same(`${BOARDS}/ranking-window.ts`, "return true;", "one more step finds nothing to do", [
    "true → false",
  ]),
  ...same(
    `${BOARDS}/ranking-window.ts`,
    'if (!isLast) falling.push(...(await graded.where("created_at", "=", to).execute()));',
    "in the last step, those of the same moment are there already",
    ["!isLast → true"],
  ),
  ...same(
    `${BOARDS}/rebuild-standings.ts`,
    "for (const board of ALL_BOARDS.filter(isPrevious)) {",
    "the present boards are rebuilt as they are, which takes longer",
    ["ALL_BOARDS.filter(isPrevious) → ALL_BOARDS"],
  ),
  ...same(
    `${BOARDS}/recount-participant.ts`,
    "if (finals > 0) await updateFinalStanding(trx, { challenge, round, participant_id: participantId }, finals);",
    "with none, no place on the final board is found: it saves queries",
    ["finals > 0 → true", "finals > 0 → finals >= 0"],
  ),
  ...same(
    `${BOARDS}/standings.ts`,
    "const counts = await countBefore(trx, place, isMoved(change) ? keys : keys.slice(0, 1));",
    "a key that has not moved is counted twice, with the same result",
    ["keys.slice(0, 1) → keys"],
  ),
  ...same(
    `${BOARDS}/standings.ts`,
    "if (!isMoved(change)) return { rank: rankBefore, rankBefore, submission };",
    "the rank is then found to be the one before",
    ["!isMoved(change) → false"],
  ),
  ...same(`${BOARDS}/standings.ts`, "if (!before || !best) return before !== best;", "writes what is there", [
    "!before || !best → true",
    "before !== best → true",
  ]),
  ...same(
    `${BOARDS}/standings.ts`,
    "return isBefore(before, best) || isBefore(best, before);",
    "writes what is there",
    ["isBefore(before, best) || isBefore(best, before) → true"],
  ),
  ...same(`${BOARDS}/standings.ts`, "if (!isMoved(change)) return;", "writes what is there", [
    "!isMoved(change) → false",
  ]),
  ...same(
    "broker/src/domain/submissions/set-publish.ts",
    "return closure !== null;",
    "publishDue publishes only where the challenge is closed: it saves a transaction",
    ["closure !== null → true"],
  ),
];
