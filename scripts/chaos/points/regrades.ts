import { cancelRegrade } from "../../../broker/src/domain/regrade/cancel-regrade.ts";
import { startRegrade } from "../../../broker/src/domain/regrade/start-regrade.ts";
import { createSubmissionId } from "../../../shared/src/index.ts";
import { command, type Scenario, submissionThat, submitValue, until, type World } from "./world.ts";

const CHALLENGE = "regraded";
/** How long a job takes: a regrade is to be under way. */
const SECONDS = 0.2;

const running = ({ records: { db } }: World) =>
  db
    .selectFrom("regrades")
    .selectAll()
    .where("challenge", "=", CHALLENGE)
    .where("state", "=", "running")
    .executeTakeFirst();

/** Two submissions that have their grades. */
async function graded(world: World): Promise<void> {
  const { db } = world.records;
  const known = await db.selectFrom("submissions").select("id").where("challenge", "=", CHALLENGE).execute();
  for (let count = known.length; count < 2; count++) {
    const [id, key] = [createSubmissionId(), world.keys[count]!];
    await submitValue(world, key, { id, challenge: CHALLENGE, data: { score: count + 1, seconds: SECONDS } });
    await submissionThat(world, key, id, ({ state }) => state === "graded");
  }
}

/** No regrade runs, and all grades are what they were. */
async function settled(world: World): Promise<void> {
  await until(world, async () => (await running(world)) === undefined);
  const rows = await world.records.db
    .selectFrom("submissions")
    .select("score")
    .where("challenge", "=", CHALLENGE)
    .orderBy("score")
    .execute();
  const scores = rows.map(({ score }) => score).join(" ");
  if (scores !== "1 2") throw new Error(`after the regrade, the scores are ${scores}`);
}

/** One after the other: a challenge has one regrade at a time. */
let last: Promise<unknown> = Promise.resolve();
const inTurn = (work: () => Promise<void>): Promise<void> => {
  const mine = last.then(work);
  last = mine.catch(() => {});
  return mine;
};

const REGRADED: Scenario = {
  steps: ["publish.regrade", "commit.swap-grades", "commit.sweep-regrades"],
  run: (world, { step }) =>
    inTurn(async () => {
      await graded(world);
      const { id } = await startRegrade(world.records, CHALLENGE, new Date());
      if (step === "commit.sweep-regrades")
        await world.records.db
          .updateTable("regrade_items")
          .set({ deadline_at: new Date(0).toISOString() })
          .where("regrade", "=", id)
          .execute();
      await settled(world);
    }),
};

const STARTED: Scenario = {
  steps: ["commit.start-regrade"],
  byCommand: true,
  run: (world, { isAfter }) =>
    inTurn(async () => {
      await graded(world);
      const before = await world.records.db.selectFrom("regrades").select("id").execute();
      const { code, stderr } = await command(world, [
        ...["challenge", "regrade", CHALLENGE, "--no-wait", "--challenges", world.challenges],
      ]);
      if (code !== null) throw new Error(`the command ended with ${code}: ${stderr}`);
      const after = await world.records.db.selectFrom("regrades").select("id").execute();
      if (after.length !== before.length + (isAfter ? 1 : 0)) throw new Error(`${after.length} regrades`);
      await settled(world);
    }),
};

const CANCELLED: Scenario = {
  steps: ["commit.cancel-regrade"],
  byCommand: true,
  run: (world, { isAfter }) =>
    inTurn(async () => {
      await graded(world);
      await startRegrade(world.records, CHALLENGE, new Date());
      const { code, stderr } = await command(world, [
        ...["challenge", "regrade", CHALLENGE, "--cancel", "--challenges", world.challenges],
      ]);
      if (code !== null) throw new Error(`the command ended with ${code}: ${stderr}`);
      // It may have ended by itself before it was cancelled.
      if (isAfter && (await running(world))) throw new Error("the regrade runs, and was cancelled");
      if (!isAfter) await cancelRegrade(world.records, CHALLENGE, new Date()).catch(() => {});
      await settled(world);
    }),
};

export const REGRADES: readonly Scenario[] = [REGRADED, STARTED, CANCELLED];
