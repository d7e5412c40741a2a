import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADA, BOB, type Domain, failed, graded, openDomain } from "../../../test/support/domain.ts";
import { listedSubmissionSchema, listSubmissions } from "./list-submissions.ts";
import { readAttempts } from "./read-attempts.ts";

let domain: Domain;
let config: ReturnType<Domain["serve"]>;
beforeEach(async () => {
  domain = await openDomain();
  config = domain.serve({ score: { order: "descending", precision: 2 }, rounds: [{ id: "1" }, { id: "2" }] });
  for (const [id, by] of [
    ["a", ADA],
    ["b", BOB],
    ["c", ADA],
  ] as const) {
    await domain.submit({ id: `submission-${id}`, round: "1" }, by);
    await domain.report({
      ...{ type: "finished", submission: `submission-${id}` },
      outcome: graded(0.126, { score_secondary: 0.126 }),
    });
  }
});
afterEach(() => domain.close());

const all = { round: null, limit: 10, before: null, viewer: null, ownOnly: false };
const list = (query: Partial<Parameters<typeof listSubmissions>[2]> = {}, of = config) =>
  listSubmissions(domain.db, of, { ...all, ...query });
const ids = async (query: Partial<Parameters<typeof listSubmissions>[2]> = {}) =>
  (await list(query)).map(({ id }) => id.at(-1)).join("");

describe("the list of submissions", () => {
  it("has the newest first, page by page", async () => {
    expect([
      await ids(),
      await ids({ limit: 2 }),
      await ids({ before: 2 }),
      await ids({ limit: 1, before: 3 }),
    ]).toEqual(["cba", "cb", "a", "b"]);
  });

  it("leaves out other challenges, rounds, dry runs and calls, and others on request", async () => {
    expect([await ids({ ownOnly: true, viewer: ADA.id }), await ids({ ownOnly: true })]).toEqual(["ca", ""]);
    await domain.set({ round: "2" }, "submission-a");
    expect([await ids({ round: "1" }), await ids({ round: "2" })]).toEqual(["cb", "a"]);
    await domain.set({ dry_run: 1 }, "submission-a");
    await domain.set({ function: "evaluate" }, "submission-b");
    expect(await ids()).toBe("c");
    expect(await list({}, { ...config, id: "another" })).toEqual([]);
  });

  it("has each as everyone may see it, with rounded scores", async () => {
    await domain.set({ post_challenge: 1, score: null }, "submission-a");
    await domain.set({ baseline: 1 }, "submission-b");
    const [c, b, a] = await list({ viewer: ADA.id });
    expect(c).toEqual({
      ...{ id: "submission-c", number: 3, participant: "ada", round: "1", state: "graded", you: true },
      ...{ score: 0.13, score_secondary: null, post_challenge: false, baseline: false },
      ...{ created_at: domain.at(), finished_at: domain.at() },
    });
    expect(listedSubmissionSchema.parse(c)).toEqual(c);
    expect(b).toMatchObject({ score: 0.126, baseline: true, you: false });
    expect(a).toMatchObject({ score: null, post_challenge: true, you: true });
    const two = { ...config, score_secondary: { order: "descending", precision: 1 } } as typeof config;
    expect((await list({}, two)).map(({ score_secondary }) => score_secondary)).toEqual([0.1, 0.126, 0.1]);
  });
});

describe("the attempts at a submission", () => {
  const attempts = (options?: { withFinal: boolean }) =>
    readAttempts(domain.db, { id: "submission-a" }, options);
  const outcome = (given: object | null, number = 1) =>
    domain.db
      .updateTable("attempts")
      .set({ outcome: given && JSON.stringify(given) })
      .where("number", "=", number)
      .execute();

  it("have a verdict once they have one: a score or an error", async () => {
    const base = { number: 1, accepted: true, state: "done", grader: "g1", organiser_log: "" };
    expect(await attempts()).toMatchObject([{ ...base, score: 0.126, error: null, run: null }]);
    await outcome(failed("rejected"));
    expect(await attempts()).toMatchObject([
      { score: null, error: { code: "rejected", message: "It is rejected." } },
    ]);
    await outcome(null);
    await domain.db.updateTable("attempts").set({ accepted: 0 }).execute();
    expect(await attempts()).toMatchObject([{ score: null, error: null, accepted: false }]);
  });

  it("have final scores only on request", async () => {
    expect(await attempts()).not.toHaveProperty("0.score_final");
    const found = async () => (await attempts({ withFinal: true }))[0]!.score_final;
    expect(await found()).toBeNull();
    await outcome(graded(1, { score_final: 0.75 }));
    expect(await found()).toBe(0.75);
    await outcome(failed("rejected", { score_final: 0.75 }));
    expect(await found()).toBeNull();
    await outcome(null);
    expect(await found()).toBeNull();
  });

  it("have the record of how code was run, and come in their order", async () => {
    const run = {
      ...{ sandbox: "s", kernel: "k", enforced: [], grader: "g", command: [], image: "host" },
      ...{ packages: null, tree: null, stages: [] },
    };
    const [first] = await domain.attempts("submission-a");
    await domain.db.deleteFrom("attempts").where("submission", "=", "submission-a").execute();
    for (const number of [2, 1])
      await domain.db
        .insertInto("attempts")
        .values({ ...first!, number, accepted: 0, run: number === 2 ? JSON.stringify(run) : null })
        .execute();
    expect((await attempts()).map(({ number, run }) => [number, run])).toEqual([
      [1, null],
      [2, run],
    ]);
  });
});
