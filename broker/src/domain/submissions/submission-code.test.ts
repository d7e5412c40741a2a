import { intentSchema } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADA, BOB, type Domain, INTENT, MINUTE, openDomain } from "../../../test/support/domain.ts";
import {
  CODE_DEADLINES,
  codePush,
  nextStored,
  readCode,
  recordAnnouncedCode,
  viewCode,
} from "./submission-code.ts";

const { id } = INTENT;
const SECOND = "submission-2";
const TO_GRADERS = { code: { to_graders: true } };
let domain: Domain;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve();
});
afterEach(() => domain.close());

const code = (digit = "1", more: object = {}) => ({
  ...{ commit: digit.repeat(40), tree: digit.repeat(40), files: 1, bytes: 10, ...more },
});
const known = async (submission = id) => (await readCode(domain.db, submission))!;
const store = (more: object = {}, submission = id) =>
  domain.db
    .updateTable("submission_code")
    .set({
      ...{ state: "stored", holds: 0, deadline_at: null, stored_at: domain.at(), stored_seq: 1 },
      ...{ snapshot: "s", files: 7, bytes: 70, ...more },
    })
    .where("submission", "=", submission)
    .execute();
const archive = { tree_key: "a/key", tree_size: 5, tree_sha256: "0a" };

describe("announced code", () => {
  it("may follow within a week, and grading does not wait for it", async () => {
    expect(CODE_DEADLINES).toEqual({ awaited: 7 * 24 * 60 * MINUTE, handed: 60 * MINUTE });
    await domain.submit({ code: code() });
    expect(await known()).toMatchObject({
      ...{ state: "awaited", holds: 0, deadline_at: domain.at(CODE_DEADLINES.awaited) },
      ...{ challenge: "sums", participant_id: 1, files: 1, bytes: 10, stored_at: null, stored_seq: null },
    });
  });

  it("that graders get is waited for an hour", async () => {
    domain.serve(TO_GRADERS);
    await domain.submit({ code: code() });
    expect(await known()).toMatchObject({ holds: 1, deadline_at: domain.at(CODE_DEADLINES.handed) });
  });

  it("that is required is waited for a week", async () => {
    domain.serve({ code: { capture: "required" } });
    await domain.submit({ code: code() });
    expect(await known()).toMatchObject({ holds: 2, deadline_at: domain.at(CODE_DEADLINES.awaited) });
  });

  it("does not hold up an agent that is here", async () => {
    domain.serve({ environment: { gym: "env.py:make" }, accepts: {}, code: { capture: "required" } });
    await domain.submit({ input: { kind: "session" }, code: code() });
    expect(await known()).toMatchObject({ holds: 0 });
  });

  it("of dry runs and other functions is ignored", async () => {
    domain.serve({ evaluator: { command: ["true"], functions: ["submit", "evaluate"] } });
    await domain.submit({ code: code(), dry_run: true });
    await domain.submit({ id: SECOND, code: code(), function: "evaluate" });
    expect(await domain.db.selectFrom("submission_code").selectAll().execute()).toEqual([]);
    const without = intentSchema.parse(INTENT);
    const config = domain.challenges.get("sums")!.config;
    await recordAnnouncedCode(domain.db, config, without, await domain.row(), new Date(domain.now()));
    expect(await readCode(domain.db, id)).toBeUndefined();
  });

  it("announced again stays as it is, and once stored it is not replaced", async () => {
    domain.serve(TO_GRADERS);
    await domain.submit({ code: code("1") });
    const before = await known();
    domain.pass(MINUTE);
    await domain.submit({ code: code("1", { bytes: 20 }) });
    expect(await known()).toEqual(before);
    await store(archive);
    const stored = await known();
    await domain.submit({ code: code("2") });
    expect(await known()).toEqual(stored);
  });

  it("that is replaced by a newer commit is not waited for longer", async () => {
    domain.serve(TO_GRADERS);
    await domain.submit({ code: code("1") });
    const { deadline_at } = await known();
    domain.pass(MINUTE);
    await domain.submit({ code: code("2") });
    expect(await known()).toMatchObject({ commit_name: "2".repeat(40), holds: 1, deadline_at });
    // Its grading has begun without it, and a deadline that had passed begins again.
    await domain.db.updateTable("submission_code").set({ holds: 0, deadline_at: null }).execute();
    await domain.submit({ code: code("3") });
    expect(await known()).toMatchObject({ holds: 0, deadline_at: domain.at(CODE_DEADLINES.handed) });
  });
});

describe("code that the repository has", () => {
  const stored = {
    ...{ state: "stored", holds: 0, deadline_at: null, files: 7, bytes: 70, snapshot: "s", stored_seq: 2 },
  };
  beforeEach(async () => {
    await domain.submit({ code: code("1") });
    await store(archive);
    domain.pass(MINUTE);
  });

  it("counts as stored at once", async () => {
    domain.serve(TO_GRADERS);
    const receipt = await domain.submit({ id: SECOND, code: code("1") });
    expect(receipt.code).toMatchObject({ have: true });
    expect(await known(SECOND)).toMatchObject({ ...stored, ...archive, stored_at: domain.at() });
  });

  it("counts as stored for a submission that announced other code first", async () => {
    domain.serve(TO_GRADERS);
    await domain.submit({ id: SECOND, code: code("2") });
    await domain.submit({ id: SECOND, code: code("1") });
    expect(await known(SECOND)).toMatchObject({ ...stored, ...archive, commit_name: "1".repeat(40) });
  });

  it("is pushed again where graders need its archive, and there is none", async () => {
    await store({ tree_key: null });
    await domain.submit({ id: SECOND, code: code("1") });
    expect(await known(SECOND)).toMatchObject({ state: "stored" });
    domain.serve(TO_GRADERS);
    await domain.submit({ id: "submission-3", code: code("1") });
    expect(await known("submission-3")).toMatchObject({ state: "awaited", stored_seq: null });
  });

  it("is another participant's own, and another tree is other code", async () => {
    await domain.submit({ id: SECOND, code: code("1") }, BOB);
    await domain.submit({ id: "submission-3", code: code("1", { tree: "3".repeat(40) }) });
    expect(await known(SECOND)).toMatchObject({ state: "awaited" });
    expect(await known("submission-3")).toMatchObject({ state: "awaited" });
  });

  it("is numbered in the order in which it was stored, in each repository", async () => {
    const next = (challenge: string, participant_id: number) =>
      nextStored(domain.db, { challenge, participant_id });
    await domain.submit({ id: SECOND, code: code("2") });
    await store({ stored_seq: 5 }, SECOND);
    expect([await next("sums", 1), await next("sums", 2), await next("another", 1)]).toEqual([6, 1, 1]);
  });
});

describe("a participant sees of their code", () => {
  const url = "http://broker/code/sums/ada.git";
  it("where to push it", async () => {
    await domain.submit({ code: code() });
    const push = { url, ref: `refs/incoming/${id}` };
    expect(codePush("http://broker", ADA, await known())).toEqual({ ...push, have: false });
    await store();
    expect(codePush("http://broker", ADA, await known())).toEqual({ ...push, have: true });
  });

  it("where it is, and its tag once it has one", async () => {
    await domain.submit({ code: code() });
    const seen = { state: "awaited", commit: "1".repeat(40), url, files: 1, bytes: 10 };
    expect(viewCode("http://broker", ADA, await known())).toEqual({ ...seen, tag: null });
    await domain.db.updateTable("submission_code").set({ final_commit: "f" }).execute();
    expect(viewCode("http://broker", ADA, await known())).toEqual({ ...seen, tag: `submission-${id}` });
  });
});
