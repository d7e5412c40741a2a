import { cancelRegrade } from "../../../broker/src/domain/regrade/cancel-regrade.ts";
import { startRegrade } from "../../../broker/src/domain/regrade/start-regrade.ts";
import { createSubmissionId } from "../../../shared/src/index.ts";
import { command, type Scenario, submissionThat, submitValue, until, type World } from "./world.ts";

const CHALLENGE = "regraded";
/** One whose jobs last beyond the broker's next look at overdue ones, every second. */
const SLOW = "regraded-slowly";
/** How long a job takes: a regrade is to be under way. */
const SECONDS: Record<string, number> = { [CHALLENGE]: 0.2, [SLOW]: 2.5 };

const running = ({ records: { db } }: World, challenge = CHALLENGE) =>
  db
    .selectFrom("regrades")
    .selectAll()
    .where("challenge", "=", challenge)
    .where("state", "=", "running")
    .executeTakeFirst();

/** Two submissions that have their grades. */
async function graded(world: World, challenge = CHALLENGE): Promise<void> {
  const { db } = world.records;
  const seconds = SECONDS[challenge]!;
  const known = await db.selectFrom("submissions").select("id").where("challenge", "=", challenge).execute();
  for (let count = known.length; count < 2; count++) {
    const [id, key] = [createSubmissionId(), world.keys[count]!];
    await submitValue(world, key, { id, challenge, data: { score: count + 1, seconds } });
    await submissionThat(world, key, id, ({ state }) => state === "graded");
  }
}

/** No regrade runs, and all grades are what they were. */
async function settled(world: World, challenge = CHALLENGE): Promise<void> {
  await until(world, async () => (await running(world, challenge)) === undefined);
  const rows = await world.records.db
    .selectFrom("submissions")
    .select("score")
    .where("challenge", "=", challenge)
    .orderBy("score")
    .execute();
  const scores = rows.map(({ score }) => score).join(" ");
  if (scores !== "1 2") throw new Error(`after the regrade, the scores are ${scores}`);
}

const last = new WeakMap<World, Promise<unknown>>();
/** One after the other: a challenge has one regrade at a time. */
const inTurn = (world: World, work: () => Promise<void>): Promise<void> => {
  const mine = (last.get(world) ?? Promise.resolve()).then(work);
  last.set(
    world,
    mine.catch(() => {}),
  );
  return mine;
};

const REGRADED: Scenario = {
  steps: ["publish.regrade", "commit.swap-grades"],
  run: (world) =>
    inTurn(world, async () => {
      await graded(world);
      await startRegrade(world.records, CHALLENGE, new Date());
      await settled(world);
    }),
};

/** A job of a regrade is overdue. */
const OVERDUE: Scenario = {
  steps: ["commit.sweep-regrades"],
  run: (world) =>
    inTurn(world, async () => {
      await graded(world, SLOW);
      const { id } = await startRegrade(world.records, SLOW, new Date());
      // The start of a job sets its deadline.
      await until(world, async () => {
        const { numUpdatedRows } = await world.records.db
          .updateTable("regrade_items")
          .set({ deadline_at: new Date(0).toISOString() })
          .where("regrade", "=", id)
          .where("state", "=", "grading")
          .executeTakeFirst();
        return numUpdatedRows > 0 || !(await running(world, SLOW));
      });
      await settled(world, SLOW);
    }),
};

const STARTED: Scenario = {
  steps: ["commit.start-regrade"],
  byCommand: true,
  run: (world, { isAfter }) =>
    inTurn(world, async () => {
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
    inTurn(world, async () => {
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

export const REGRADES: readonly Scenario[] = [REGRADED, OVERDUE, STARTED, CANCELLED];
