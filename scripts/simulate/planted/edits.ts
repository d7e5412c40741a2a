/** Another text for part of a source file of the product, in memory only. */
export interface Edit {
  file: string;
  /** An expression that occurs once in the file. */
  find: string;
  instead: string;
}

/** A fault in the code itself. */
export interface EditedFault {
  edits: readonly Edit[];
}

const submissions = "broker/src/domain/submissions";

/** Faults in the code that the simulation must find. */
export const FOUND_BY_SIMULATION: Readonly<Record<string, EditedFault>> = {
  "fence of deliveries": edit(
    `${submissions}/apply-report.ts`,
    "report.delivery < attempt.delivery ? null : { row, attempt }",
    "{ row, attempt }",
  ),
  "fence of attempts": edit(`${submissions}/apply-report.ts`, "row.attempt !== report.attempt", "false"),
  "duplicate grade": {
    edits: [
      {
        file: `${submissions}/apply-report.ts`,
        find: '(row.state !== "submitted" && row.state !== "grading")',
        instead: "false",
      },
      { file: `${submissions}/apply-report.ts`, find: 'attempt.state === "done"', instead: "false" },
    ],
  },
  "announced before the commit": edit(
    `${submissions}/apply-report.ts`,
    "await applyTo(context, trx, current, report)",
    "await applyTo(context, trx, current, report).then((e) => (context.announce(current.row.challenge, e), e))",
  ),
  "outbox marked before the queue has the job": edit(
    `${submissions}/dispatcher.ts`,
    "queue.publish(createJob(row, row.attempt, catalog.get(row.challenge), seedsOf))",
    "mark([row]).then(() => queue.publish(createJob(row, row.attempt, catalog.get(row.challenge), seedsOf)))",
  ),
  "jobs of a lost queue stay lost": edit(
    `${submissions}/recover-queue.ts`,
    "{ published_at: null, delivery: 0 }",
    "{ delivery: 0 }",
  ),
  "regrade lost with the queue": edit(
    `${submissions}/recover-queue.ts`,
    "parts.republishRegrades(trx)",
    "null",
  ),
  "deadline that passes unnoticed": edit(
    `${submissions}/sweep-deadlines.ts`,
    'restart(context, id, "the grader stopped responding", { onlyOverdue: true })',
    "null",
  ),
  "one slot too many": edit("broker/src/domain/rules/limits.ts", "used < limit.count", "used <= limit.count"),
  "last slot given twice": edit(
    `${submissions}/register-intent.ts`,
    "await requireRules(trx, config, target, caller.id, arrival)",
    "null",
  ),
  "charged for a fault of the evaluator": edit(
    `${submissions}/write-outcome.ts`,
    'isVerdict(error.code) || error.code === "round_not_open"',
    "true",
  ),
  "regrade replaces a grade by a fault": edit(
    "broker/src/domain/regrade/apply-regrade-report.ts",
    'outcome.ok ? "graded" : charges ? "failed" : "kept"',
    'outcome.ok ? "graded" : "failed"',
  ),
  "disqualified stays on the board": edit(
    "broker/src/domain/eligibility/disqualify.ts",
    "recountParticipant(trx, { challenge, round, participantId })",
    "null",
  ),
  "disqualified returns to the board": edit(
    `${submissions}/update-boards.ts`,
    "first && !(await isDisqualified(trx, row)) ? first : undefined",
    "first",
  ),
};

/** Faults in the code of sessions that the simulation must find. */
export const FOUND_IN_SESSIONS: Readonly<Record<string, EditedFault>> = {
  "session continued without its journal": edit(
    "grader/src/environment/play-remote.ts",
    "session.playAgain(journal, { resumes: true })",
    "null",
  ),
  "step missing from the journal": edit(
    "grader/src/environment/play-remote.ts",
    "entry ? { answer, entry } : { answer }",
    "{ answer }",
  ),
  "repeated step refused": edit("grader/src/environment/referee.ts", "n === at.steps", "false"),
  "silent agent never given up": edit(
    "grader/src/environment/play-remote.ts",
    "referee.isDone() ? referee.answeredAt() + idleMs : referee.deadline()",
    "Infinity",
  ),
  "agent that never resets keeps its session": edit(
    "grader/src/environment/referee.ts",
    "Math.min(waitingSince + limits.idle_seconds * 1000, restingSince + restMs)",
    "Number.POSITIVE_INFINITY",
  ),
  "charged before the first reset": edit(
    `${submissions}/write-outcome.ts`,
    'error.charge ?? (verdict || (error.code === "cancelled" && begun))',
    'verdict || (error.code === "cancelled" && begun)',
  ),
  "played session cancelled for free": edit(
    "broker/src/domain/environments/has-played.ts",
    "found !== undefined",
    "false",
  ),
  "healthy session taken away": edit(
    "shared/src/challenge-folder/grading-seconds.ts",
    "environmentSeconds(environment, evaluator.timeout_seconds)",
    "evaluator.timeout_seconds",
  ),
  "first reset not reported": edit("grader/src/environment/session.ts", "!referee.hasStarted()", "false"),
};

/** Faults in parts that the simulation does not run, each with the tests that must fail. */
export const FOUND_BY_TESTS: Readonly<Record<string, EditedFault & { test: string }>> = {
  "expiry of a signed address": {
    ...edit("shared/src/objects/signed-url.ts", "request.expires * 1000 > now", "true"),
    test: "shared/src/objects/signed-url.test.ts",
  },
  "signature of an address": {
    ...edit("shared/src/objects/signed-url.ts", "!timingSafeEqual(given, wanted)", "false"),
    test: "shared/src/objects/signed-url.test.ts",
  },
  "digest check": {
    ...edit(
      "shared/src/objects/durable-files.ts",
      'digest !== ("md5" in expected ? expected.md5 : expected.sha256)',
      "false",
    ),
    test: "shared/src/objects/folder-store.test.ts",
  },
  "path containment": {
    ...edit("shared/src/bundles/unpack-entries.ts", 'part !== "" && part !== "." && part !== ".."', "true"),
    test: "shared/src/bundles/unpack-code.test.ts",
  },
  "result file outside its folder": {
    ...edit("grader/src/jobs/result-files.ts", "(await realpath(full)) !== full", "false"),
    test: "grader/src/jobs/result-files.test.ts",
  },
  "commit acknowledged before it is on the disk": {
    ...edit("broker/src/records/group-commit.ts", "await mine.promise", "null"),
    test: "broker/src/records/group-commit.test.ts",
  },
  "step applied twice": {
    ...edit("grader/src/environment/referee.ts", "n === at.steps", "false"),
    test: "grader/src/environment/referee.test.ts",
  },
  "request of an agent sent twice": {
    ...edit(
      "broker/src/domain/sessions/pending-requests.ts",
      "(one.waiting === 0 || isNumbered(request))",
      "false",
    ),
    test: "broker/src/domain/sessions/pending-requests.test.ts",
  },
  "session charged before its first reset": {
    ...edit(
      `${submissions}/cancel-submission.ts`,
      "isAgent && row.outside_status === null ? hasPlayed(trx, row.id) : undefined",
      "undefined",
    ),
    test: "broker/test/submissions/session-records.test.ts",
  },
  visibility: {
    ...edit("broker/src/domain/rules/visibility.ts", "!config.visibility.private", "true"),
    test: "broker/test/participants/visibility.test.ts",
  },
  "submission of another participant": {
    ...edit(`${submissions}/find-submission.ts`, "row.participant_id === caller.id", "true"),
    test: "broker/test/participants/access.test.ts",
  },
  "revoked key": {
    ...edit("broker/src/domain/participants/api-keys.ts", "if (row.revoked_at)", "if (false)"),
    test: "broker/test/participants/access.test.ts",
  },
  CSRF: {
    ...edit(
      "broker/src/http/pages/same-origin.ts",
      "origin === new URL(baseUrl()).origin || origin === new URL(c.req.url).origin",
      "true",
    ),
    test: "broker/test/pages/guarded-routes.test.ts",
  },
  "final score shown before the end": {
    ...edit("broker/src/domain/leaderboard/final-shown.ts", 'roundState(known, now) === "ended"', "true"),
    test: "broker/test/leaderboard/final-scores.test.ts",
  },
};

function edit(file: string, find: string, instead: string): EditedFault {
  return { edits: [{ file, find, instead }] };
}
