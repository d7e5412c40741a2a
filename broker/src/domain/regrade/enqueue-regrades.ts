import { markedStep } from "@crowdai/shared/marked-steps";
import type { JobQueue } from "@crowdai/shared/queue";
import { type Clock, iso } from "../../base/clock.ts";
import type { Db, Records } from "../../records/records.ts";
import type { RegradeRow } from "../../records/tables.ts";
import type { Catalog, ServedChallenge } from "../challenges/catalog.ts";
import { findBundle } from "../challenges/recorded-challenges.ts";
import type { SeedsOf } from "../environments/session-seeds.ts";
import { stepLogOf } from "../environments/step-log.ts";
import { createJob } from "../submissions/create-job.ts";
import { markQueued, readRebuilds } from "../submissions/queue-rebuilds.ts";
import { runningRegrades } from "./regrade-items.ts";

/** Maximum number of queued or running jobs of a regrade: the queue need not hold a whole challenge. */
const MAX_QUEUED = 64;

/** A regrade has a share of the queue as one participant has: neither can hold up the other. */
const FAIR_KEY = "regrade";

/** Queues attempts of running regrades, as many as there are free places. */
export async function enqueueRegrades(options: {
  records: Records;
  queue: Pick<JobQueue, "publish">;
  catalog: Catalog;
  clock: Clock;
  seedsOf: SeedsOf;
}): Promise<void> {
  const { records } = options;
  const { db } = records;
  const rebuilds = await readRebuilds(db);
  const running = await runningRegrades(db, {});
  for (const regrade of running) {
    const served = options.catalog.all().get(regrade.challenge);
    if (served) await enqueueRegrade(regrade, served);
  }

  async function enqueueRegrade(regrade: RegradeRow, served: ServedChallenge): Promise<void> {
    const inQueue = await db
      .selectFrom("regrade_items")
      .select("submission")
      .where("regrade", "=", regrade.id)
      .where("state", "in", ["queued", "grading"])
      .limit(MAX_QUEUED)
      .execute();
    const rows = await db
      .selectFrom("regrade_items")
      .innerJoin("submissions", "submissions.id", "regrade_items.submission")
      .leftJoin("submission_code", "submission_code.submission", "submissions.id")
      .selectAll("submissions")
      .select(["tree_key", "tree_size", "tree_sha256"])
      .select("regrade_items.attempt as regrade_attempt")
      .where("regrade_items.regrade", "=", regrade.id)
      .where("regrade_items.state", "=", "waiting")
      .orderBy("regrade_items.number")
      .limit(MAX_QUEUED - inQueue.length)
      .execute();
    if (rows.length === 0) return;
    const challenge = await pinned(db, regrade, served);
    for (const { regrade_attempt: attempt, ...row } of rows) {
      const job = createJob(row, attempt, challenge, options.seedsOf);
      // The agent has left: what it did is stepped again.
      const input =
        row.input_kind === "session" ? { kind: "session" as const, replay: stepLogOf(row) } : job.input;
      await markedStep("publish.regrade", () => options.queue.publish({ ...job, input, fair_key: FAIR_KEY }));
      const isMarked = await markQueued(records, rebuilds, (trx) => mark(trx, regrade.id, row.id, attempt));
      // The queue was filled again, and the next run begins with what it knows.
      if (!isMarked) return;
    }
  }

  /** Unless it changed meanwhile: a grader may have started before the queue's answer arrived. */
  async function mark(trx: Db, regrade: number, submission: string, attempt: number): Promise<void> {
    await trx
      .updateTable("attempts")
      .set({ published_at: iso(options.clock()) })
      .where("submission", "=", submission)
      .where("number", "=", attempt)
      .execute();
    await trx
      .updateTable("regrade_items")
      .set({ state: "queued" })
      .where("regrade", "=", regrade)
      .where("submission", "=", submission)
      .where("attempt", "=", attempt)
      .where("state", "=", "waiting")
      .execute();
  }
}

/**
 * A regrade uses one version, whatever is added while it runs. Where the challenge is a folder, graders use
 * their own copy, and its version can only be recorded.
 */
async function pinned(db: Db, regrade: RegradeRow, served: ServedChallenge): Promise<ServedChallenge> {
  const version = served.bundle === null ? served.version : (regrade.version ?? served.version);
  if (version !== regrade.version)
    await db.updateTable("regrades").set({ version }).where("id", "=", regrade.id).execute();
  if (version === served.version) return served;
  const bundle = await findBundle(db, regrade.challenge, version);
  return bundle ? { ...served, version, bundle } : served;
}
