import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ADA,
  DAY,
  type Domain,
  graded,
  INTENT,
  MINUTE,
  openDomain,
  sha256,
} from "../../../test/support/domain.ts";
import { acceptUpload } from "./accept-upload.ts";
import { DEADLINES } from "./deadlines.ts";
import { recordStored, type VerifiedCode } from "./record-stored-code.ts";
import { CODE_DEADLINES, readCode } from "./submission-code.ts";
import { sweepAwaitedCode } from "./sweep-awaited-code.ts";

const { id } = INTENT;
const SECOND = "submission-2";
const TO_GRADERS = { code: { to_graders: true } };
const REQUIRED = { code: { capture: "required" } };
let domain: Domain;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve();
});
afterEach(() => domain.close());

const announce = (submission = id) =>
  domain.submit({
    id: submission,
    code: { commit: "1".repeat(40), tree: "2".repeat(40), files: 1, bytes: 10 },
  });
const known = async (submission = id) => (await readCode(domain.db, submission))!;
const clear = () => {
  for (const list of Object.values(domain.seen)) list.length = 0;
};
const verified: VerifiedCode = {
  ...{ commit: "1".repeat(40), snapshot: "snapshot", files: 7, bytes: 70 },
  pack: { key: "a/pack", size: 5, sha256: "0a" },
  tree: { key: "a/tree", size: 6, sha256: "0b" },
};
const store = (more: Partial<VerifiedCode> = {}, submission = id) =>
  recordStored(domain.services, submission, { ...verified, ...more });

describe("code that arrived", () => {
  it("is stored with its archives, and what waited for it may be graded", async () => {
    domain.serve(TO_GRADERS);
    await announce();
    clear();
    domain.pass(MINUTE);
    await store();
    expect(await known()).toMatchObject({
      ...{ state: "stored", holds: 0, deadline_at: null, stored_at: domain.at(), stored_seq: 1 },
      ...{ snapshot: "snapshot", files: 7, bytes: 70 },
      ...{ pack_key: "a/pack", pack_size: 5, pack_sha256: "0a" },
      ...{ tree_key: "a/tree", tree_size: 6, tree_sha256: "0b" },
    });
    // The time for grading begins now.
    expect(await domain.row()).toMatchObject({ deadline_at: domain.at(DEADLINES.submitted) });
    expect(domain.seen).toMatchObject({ dispatched: ["all"], locked: ["code:sums:1"] });
  });

  it("twice is stored once", async () => {
    await announce();
    await store();
    const before = await known();
    domain.pass(MINUTE);
    await store({ snapshot: "another" });
    expect(await known()).toEqual(before);
    await announce(SECOND);
    await store({}, SECOND);
    expect(await known(SECOND)).toMatchObject({ state: "stored" });
  });

  it("may have no archives", async () => {
    await announce();
    await store({ pack: null, tree: null });
    expect(await known()).toMatchObject({
      ...{ pack_key: null, pack_size: null, pack_sha256: null },
      ...{ tree_key: null, tree_size: null, tree_sha256: null },
    });
  });

  it("is refused when another commit was announced meanwhile, and ignored when none was", async () => {
    await announce();
    await expect(store({ commit: "3".repeat(40) })).rejects.toMatchObject({ code: "code_push_refused" });
    expect(await known()).toMatchObject({ state: "awaited" });
    await domain.submit({ id: SECOND });
    await store({}, SECOND);
    expect(await readCode(domain.db, SECOND)).toBeUndefined();
  });

  it("changes no deadline of a submission that did not wait for it", async () => {
    await announce();
    const { deadline_at } = await domain.row();
    domain.pass(MINUTE);
    await store();
    expect(await domain.row()).toMatchObject({ deadline_at });
    domain.serve(TO_GRADERS);
    await domain.submit({
      id: SECOND,
      code: { commit: "4".repeat(40), tree: "2".repeat(40), files: 1, bytes: 10 },
    });
    await domain.set({ state: "cancelled", deadline_at: null }, SECOND);
    await store({ commit: "4".repeat(40) }, SECOND);
    expect(await domain.row(SECOND)).toMatchObject({ deadline_at: null });
  });
});

describe("code that does not arrive", () => {
  const sweep = () => sweepAwaitedCode(domain.services);

  it("is waited for until its deadline", async () => {
    domain.serve(TO_GRADERS);
    await announce();
    clear();
    domain.pass(CODE_DEADLINES.handed);
    expect(await sweep()).toBe(0);
    expect(domain.seen.dispatched).toEqual([]);
    domain.pass(1);
    expect(await sweep()).toBe(1);
    // Grading begins without it; it is still accepted for the rest of the week.
    const end = new Date(domain.now() - CODE_DEADLINES.handed - 1 + 7 * DAY).toISOString();
    expect(await known()).toMatchObject({ state: "awaited", holds: 0, deadline_at: end });
    expect(await domain.row()).toMatchObject({ state: "submitted" });
    expect(domain.seen).toMatchObject({ dispatched: ["all"], announced: [] });
    expect(await sweep()).toBe(0);
    domain.pass(7 * DAY);
    expect(await sweep()).toBe(1);
    expect(await known()).toMatchObject({ state: "missing", holds: 0, deadline_at: null });
    expect(await sweep()).toBe(0);
    await store();
    expect(await known()).toMatchObject({ state: "stored" });
  });

  it("is missing at once where its week is over by then", async () => {
    domain.serve(TO_GRADERS);
    await announce();
    domain.pass(7 * DAY);
    await sweep();
    expect(await known()).toMatchObject({ state: "missing", holds: 0, deadline_at: null });
  });

  it("fails the submission where it is required, and returns the slot", async () => {
    domain.serve(REQUIRED);
    await announce();
    const { deadline_at } = await known();
    clear();
    domain.pass(7 * DAY + 1);
    expect(await sweep()).toBe(1);
    expect(await known()).toMatchObject({ state: "missing", holds: 0, deadline_at: null });
    expect(await domain.row()).toMatchObject({
      ...{ state: "failed", error_code: "code_missing" },
      error_message: `sums requires code with every submission, and none arrived by ${deadline_at}.`,
    });
    expect(await domain.slot()).toMatchObject({ state: "returned" });
    expect(domain.seen.announced).toEqual([`sums ${id} 3 failed`]);
  });

  it("is missing at its own deadline where the submission needs it, also before the week is over", async () => {
    domain.serve(REQUIRED);
    await announce();
    await domain.db
      .updateTable("submission_code")
      .set({ deadline_at: domain.at(DAY) })
      .execute();
    domain.pass(DAY + 1);
    await sweep();
    expect(await known()).toMatchObject({ state: "missing", deadline_at: null });
    expect(await domain.row()).toMatchObject({ state: "failed" });
  });

  it("fails a submission that was not accepted yet, and removes its bytes", async () => {
    domain.serve({ ...REQUIRED, accepts: { file: { extensions: [] } } });
    const input = { kind: "file" as const, name: "a.csv", size: 3, sha256: sha256("abc") };
    await domain.submit({
      input,
      code: { commit: "1".repeat(40), tree: "2".repeat(40), files: 1, bytes: 10 },
    });
    await domain.objects.put(`submissions/sums/${id}/input`, Buffer.from("abc"));
    const second = { input, code: { commit: "3".repeat(40), tree: "2".repeat(40), files: 1, bytes: 10 } };
    await domain.submit({ ...second, id: SECOND });
    await domain.objects.put(`submissions/sums/${SECOND}/input`, Buffer.from("abc"));
    await acceptUpload(domain.services, ADA, SECOND);
    domain.pass(7 * DAY + 1);
    await sweep();
    expect(await domain.row(SECOND)).toMatchObject({ state: "failed", error_code: "code_missing" });
    expect(await domain.objects.stat(`submissions/sums/${SECOND}/input`)).not.toBeNull();
    expect(await domain.row()).toMatchObject({ state: "failed", accepted_at: null });
    expect(await domain.objects.stat(`submissions/sums/${id}/input`)).toBeNull();
  });

  it("fails no submission that has ended", async () => {
    domain.serve(REQUIRED);
    await announce();
    await domain.report({ type: "finished", outcome: graded(1) });
    domain.pass(7 * DAY + 1);
    clear();
    await sweep();
    expect(await known()).toMatchObject({ state: "missing" });
    expect(await domain.row()).toMatchObject({ state: "graded" });
    expect(domain.seen.announced).toEqual([]);
  });

  it("is left alone when it has just arrived, or been announced again", async () => {
    domain.serve(REQUIRED);
    await announce();
    domain.pass(7 * DAY + 1);
    const { lockSubmission } = domain.records;
    const changes = [
      { state: "stored" as const },
      { state: "awaited" as const, deadline_at: domain.at() },
      { state: "awaited" as const, deadline_at: null },
    ];
    for (const change of changes) {
      await domain.db
        .updateTable("submission_code")
        .set({ deadline_at: domain.at(-1) })
        .execute();
      domain.records.lockSubmission = async (trx, submission) => {
        await trx.updateTable("submission_code").set(change).execute();
        return lockSubmission(trx, submission);
      };
      expect(await sweep()).toBe(1);
      expect(await known()).toMatchObject({ ...change, holds: 2 });
    }
    expect(await domain.row()).toMatchObject({ state: "submitted" });
  });
});
