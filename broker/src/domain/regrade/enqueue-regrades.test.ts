import type { Job } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Domain, graded, INTENT, openDomain } from "../../../test/support/domain.ts";
import { regradesOf } from "../../../test/support/regrades.ts";
import type { RegradeItemRow } from "../../records/tables.ts";
import { countRebuild } from "../submissions/queue-rebuilds.ts";
import { enqueueRegrades } from "./enqueue-regrades.ts";
import { republishRegrades } from "./sweep-regrades.ts";

const { id } = INTENT;
const TWO = "submission-2";
const BUNDLE = { key: "b2", size: 2, sha256: "2" };
let domain: Domain;
let regrades: ReturnType<typeof regradesOf>;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve();
  regrades = regradesOf(domain);
});
afterEach(() => domain.close());

/** Grades two submissions, and starts a regrade. */
async function start() {
  await regrades.grade();
  await regrades.grade(TWO);
  await regrades.start();
}
/** Enqueues, and calls `meanwhile` while the queue takes a job. Returns the jobs. */
async function enqueue(meanwhile: (job: Job) => Promise<unknown> = async () => {}): Promise<Job[]> {
  const jobs: Job[] = [];
  const publish = async (job: Job) => {
    jobs.push(job);
    await meanwhile(job);
  };
  await enqueueRegrades({ ...domain.services, queue: { publish } });
  return jobs;
}
const names = async (jobs: Promise<Job[]>) => (await jobs).map(({ submission }) => submission);
const set = ({ submission }: Job, values: Partial<RegradeItemRow>) => regrades.setItem(values, submission);
const states = async () => [(await regrades.item()).state, (await regrades.item(TWO)).state];
/** Serves a version of the challenge as a bundle. */
const serveBundle = (version: string) => {
  domain.serve({}, BUNDLE);
  domain.challenges.set("sums", { ...domain.challenges.get("sums")!, version });
};
const addBundle = (version: string) =>
  domain.db
    .insertInto("challenges")
    .values({
      ...{ id: "sums", version, config: "{}", data: "[]", added_at: "", current: 1 },
      ...{ bundle_key: "b1", bundle_size: 1, bundle_sha256: "1" },
    })
    .execute();

describe("jobs of a regrade", () => {
  it("are queued once, and take turns with those of participants", async () => {
    await start();
    const jobs = await enqueue();
    expect(jobs).toMatchObject([
      {
        ...{ submission: id, attempt: 2, challenge: "sums", fair_key: "regrade", version: null, code: null },
        input: { kind: "inline", data: { a: 1 } },
      },
      { submission: TWO, attempt: 2 },
    ]);
    expect(await states()).toEqual(["queued", "queued"]);
    expect((await domain.attempts()).map(({ published_at }) => published_at)).toEqual([null, domain.at()]);
    expect(await enqueue()).toEqual([]);
  });

  it("have the code of their submissions", async () => {
    domain.serve({ code: { capture: "optional", to_graders: true } });
    await start();
    await domain.addCode(id, 0);
    const tree = { tree_key: "t", tree_size: 3, tree_sha256: "s" };
    await domain.db.updateTable("submission_code").set(tree).execute();
    expect((await enqueue()).map(({ code }) => code)).toEqual([{ key: "t", size: 3, sha256: "s" }, null]);
  });

  it("of sessions step their logs again", async () => {
    await start();
    const log = { key: "k", name: "steps.ndjson.gz", size: 1, sha256: "s", type: "" };
    await domain.set({ input_kind: "session", input_data: null, artifacts: JSON.stringify([log]) });
    expect((await enqueue())[0]!.input).toEqual({
      kind: "session",
      replay: { key: "k", size: 1, sha256: "s" },
    });
  });

  it("are 64 at a time", async () => {
    await start();
    const { number: _, ...row } = await domain.row();
    const many = Array.from({ length: 70 }, (_, index) => `one-of-many-${index}`);
    await domain.db
      .insertInto("submissions")
      .values(many.map((id) => ({ ...row, id })))
      .execute();
    const item = { regrade: 1, state: "waiting" as const, attempt: 2, starts: 0 };
    await domain.db
      .insertInto("regrade_items")
      .values(many.map((submission, index) => ({ ...item, submission, number: 100 - index })))
      .execute();
    const jobs = await names(enqueue());
    expect(jobs).toHaveLength(64);
    expect(jobs.slice(0, 3)).toEqual([id, TWO, "one-of-many-69"]);
    expect(await enqueue()).toEqual([]);
    await regrades.report({ type: "started" });
    expect(await enqueue()).toEqual([]);
    await regrades.finish(graded(2));
    expect(await enqueue()).toHaveLength(1);
  });

  it("wait while the challenge is not served", async () => {
    await start();
    domain.challenges.clear();
    expect(await enqueue()).toEqual([]);
    expect(await states()).toEqual(["waiting", "waiting"]);
  });
});

describe("an item of a regrade", () => {
  beforeEach(start);

  it("stays in grading when a grader started it before the queue answered", async () => {
    await enqueue((job) => set(job, { state: "grading" }));
    expect(await states()).toEqual(["grading", "grading"]);
    expect(await enqueue()).toEqual([]);
  });

  it("waits when a newer attempt replaced the queued one meanwhile", async () => {
    await enqueue((job) => set(job, { attempt: job.attempt + 1 }));
    expect(await states()).toEqual(["waiting", "waiting"]);
  });

  it("waits when the queue took its job and was filled again before the mark", async () => {
    const rebuild = () => countRebuild(domain.records, (trx) => republishRegrades(trx));
    expect(await names(enqueue(rebuild))).toEqual([id]);
    expect(await states()).toEqual(["waiting", "waiting"]);
    expect(await names(enqueue())).toEqual([id, TWO]);
  });
});

describe("the version of a regrade", () => {
  const jobs = async () => (await enqueue()).map(({ version, bundle }) => ({ version, bundle }))[0];
  const version = async () => (await regrades.regrade()).version;
  const first = { version: "v1", bundle: { key: "b1", size: 1, sha256: "1" } };

  it("stays the bundle with which it began", async () => {
    await addBundle("v1");
    await start();
    serveBundle("v2");
    expect(await jobs()).toEqual(first);
    expect(await version()).toBe("v1");
  });

  it("is the bundle that is served, where that is the current one", async () => {
    await addBundle("v2");
    await start();
    serveBundle("v2");
    expect(await jobs()).toEqual({ version: "v2", bundle: BUNDLE });
  });

  it("is the bundle that is served, once one is", async () => {
    await start();
    serveBundle("v2");
    expect(await jobs()).toEqual({ version: "v2", bundle: BUNDLE });
    expect(await version()).toBe("v2");
  });

  it("is the bundle that is served, where its own was removed", async () => {
    await start();
    await regrades.setRegrade({ version: "v1" });
    serveBundle("v2");
    expect(await jobs()).toEqual({ version: "v2", bundle: BUNDLE });
  });

  it("is that of the folder, also where there is a bundle", async () => {
    await addBundle("v2");
    await start();
    expect(await jobs()).toEqual({ version: null, bundle: null });
    expect(await version()).toBe("v1");
  });

  it("stays that of the last jobs when there are no more", async () => {
    await start();
    await enqueue();
    domain.challenges.set("sums", { ...domain.challenges.get("sums")!, version: "later" });
    await enqueue();
    expect(await version()).toBe("v1");
  });
});
