import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BOB, DAY, type Domain, failed, graded, INTENT, openDomain } from "../../../test/support/domain.ts";
import { regradesOf } from "../../../test/support/regrades.ts";
import { cancelRegrade } from "./cancel-regrade.ts";
import { addItems, startRegrade } from "./start-regrade.ts";

const { id } = INTENT;
let domain: Domain;
let regrades: ReturnType<typeof regradesOf>;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve();
  regrades = regradesOf(domain);
});
afterEach(() => domain.close());

const submissions = async () =>
  (await domain.db.selectFrom("regrade_items").select("submission").orderBy("number").execute()).map(
    ({ submission }) => submission,
  );
const addVersion = (version: string, current: number) =>
  domain.db
    .insertInto("challenges")
    .values({
      ...{ id: "sums", version, config: "{}", data: "[]", added_at: "", current },
      ...{ bundle_key: "b", bundle_size: 1, bundle_sha256: "" },
    })
    .execute();

describe("a regrade", () => {
  it("begins with a waiting attempt of each graded submission, and changes none", async () => {
    await regrades.grade(id, 1);
    await regrades.grade("submission-2", 2, { by: BOB });
    const before = [await domain.row(), await domain.slot()];
    domain.pass(1000);
    expect(await regrades.start()).toEqual({ id: 1, submissions: 2 });
    expect(await regrades.regrade()).toEqual({
      ...{ id: 1, challenge: "sums", version: null, state: "running" },
      ...{ started_at: domain.at(), finished_at: null },
    });
    expect(await regrades.item()).toMatchObject({
      ...{ regrade: 1, number: 1, state: "waiting", attempt: 2, starts: 0, deadline_at: domain.at(7 * DAY) },
      ...{ result: null, reason: null },
    });
    expect(await domain.attempts("submission-2")).toMatchObject([
      { number: 1, state: "done", accepted: 1, regrade: null },
      { number: 2, state: "waiting", accepted: 0, delivery: 0, regrade: 1 },
    ]);
    expect([await domain.row(), await domain.slot()]).toEqual(before);
    expect(domain.seen.locked).toContain("challenge:sums");
  });

  it("uses the bundle that is current, also when this broker has not loaded it yet", async () => {
    await addVersion("old", 0);
    await addVersion("new", 1);
    await regrades.start();
    expect(await regrades.regrade()).toMatchObject({ version: "new" });
  });

  it("is one at a time", async () => {
    await regrades.start();
    const started = domain.at();
    domain.pass(1000);
    await expect(regrades.start()).rejects.toMatchObject({
      code: "regrade_running",
      message: `sums is already being re-graded, since ${started}.`,
    });
    // Another challenge's regrade does not matter, and neither does one that has ended.
    await startRegrade(domain.records, "other", new Date(domain.now()));
    await cancelRegrade(domain.records, "sums", new Date(domain.now()));
    expect(await regrades.start()).toEqual({ id: 3, submissions: 0 });
  });

  it("gives each submission the next attempt, also after a regrade that was cancelled", async () => {
    await regrades.grade();
    await regrades.start();
    await cancelRegrade(domain.records, "sums", new Date(domain.now()));
    expect(await regrades.start()).toMatchObject({ submissions: 1 });
    expect(await regrades.item()).toMatchObject({ regrade: 2, attempt: 3 });
    expect(await domain.attempts()).toMatchObject([
      { state: "done" },
      { state: "lost" },
      { state: "waiting" },
    ]);
  });

  it("includes failures that were the challenge's fault, and no others", async () => {
    await regrades.end("one-crashed", failed("evaluator_crashed"));
    await regrades.end("one-rejected", failed("rejected"));
    await regrades.end("one-gave-up", failed("gave_up"));
    await domain.submit({ id: "one-waits" });
    await regrades.start();
    expect(await submissions()).toEqual(["one-crashed"]);
  });

  it("leaves out calls, dry runs, other challenges and grades of external graders", async () => {
    domain.serve({ id: "other" });
    domain.serve({ evaluator: { command: ["true"], functions: ["submit", "help"] } });
    await regrades.grade("one-call", 1, { function: "help" });
    await regrades.grade("one-dry-run", 1, { dry_run: true });
    await regrades.grade("of-other", 1, { challenge: "other" });
    await regrades.grade("one-outside");
    await domain.set({ outside_status: "graded" }, "one-outside");
    await regrades.grade("one-mine");
    await regrades.start();
    expect(await submissions()).toEqual(["one-mine"]);
  });

  it("steps the logs of sessions again, which a failed session and one without a log have not", async () => {
    const log = (name: string) => JSON.stringify([{ key: "k", name, size: 1, sha256: "", type: "" }]);
    const sessions = {
      "one-played": { artifacts: log("steps.ndjson.gz") },
      "without-log": { artifacts: log("plot.png") },
      "one-failed": { artifacts: log("steps.ndjson.gz"), state: "failed", error_code: "evaluator_crashed" },
    } as const;
    for (const [name, columns] of Object.entries(sessions)) {
      await regrades.grade(name);
      await domain.set({ input_kind: "session", ...columns }, name);
    }
    await regrades.start();
    expect(await submissions()).toEqual(["one-played"]);
  });
});

describe("submissions that were being graded when a regrade started", () => {
  const add = async () => addItems(domain.db, await regrades.regrade(), new Date(domain.now()));
  beforeEach(async () => {
    await addVersion("v2", 1);
    await regrades.start();
  });

  it("are added once they have a grade of another version", async () => {
    await domain.submit();
    domain.pass(60_000);
    expect(await add()).toBe(0);
    await domain.report({ type: "finished", outcome: graded(1) });
    expect(await add()).toBe(1);
    expect(await regrades.item()).toMatchObject({ attempt: 2, deadline_at: domain.at(7 * DAY) });
    expect(await domain.attempts()).toMatchObject([{ state: "done" }, { state: "waiting", regrade: 1 }]);
    expect(await add()).toBe(0);
  });

  it("are not, with a grade of its version", async () => {
    await regrades.end(id, graded(1, { evaluator_version: "v2" }));
    expect(await add()).toBe(0);
    await domain.set({ evaluator_version: null });
    expect(await add()).toBe(1);
  });

  it("include those of the ten seconds until every broker has loaded the version", async () => {
    domain.pass(10_000);
    await regrades.grade();
    domain.pass(1);
    await regrades.grade("one-later");
    expect(await add()).toBe(1);
    expect(await submissions()).toEqual([id]);
  });
});
