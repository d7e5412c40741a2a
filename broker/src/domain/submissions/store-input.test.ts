import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADA, type Domain, INTENT, openDomain, sha256 } from "../../../test/support/domain.ts";
import { storeInput } from "./store-input.ts";

const { id } = INTENT;
let domain: Domain;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve({ accepts: { json: {}, file: { extensions: [] }, model: {} } });
});
afterEach(() => domain.close());

const announce = () =>
  domain.submit({ input: { kind: "file", name: "a.csv", size: 3, sha256: sha256("abc") } });
const store = (bytes: string) =>
  storeInput({ context: domain.services, caller: ADA }, id, async () => Buffer.from(bytes));

describe("storing the input of a client that does not upload it itself", () => {
  it("accepts the submission", async () => {
    await announce();
    const { put } = domain.services.objects;
    const expected: unknown[] = [];
    domain.services.objects.put = (key, body, options) => {
      expected.push(options?.expected);
      return put(key, body, options);
    };
    await store("abc");
    // The store refuses other bytes before it has all of them.
    expect(expected).toEqual([{ size: 3, sha256: sha256("abc") }]);
    expect(await domain.row()).toMatchObject({ state: "submitted", attempt: 1 });
    expect(await domain.objects.stat(`submissions/sums/${id}/input`)).toEqual({
      ...{ size: 3, sha256: sha256("abc") },
    });
  });

  it("cancels the submission when other bytes come than were announced", async () => {
    await announce();
    await expect(store("abd")).rejects.toMatchObject({ code: "digest_mismatch" });
    expect(await domain.row()).toMatchObject({ state: "cancelled" });
    expect(await domain.slot()).toMatchObject({ state: "returned" });
    expect(domain.seen.logged).toEqual([]);
  });

  it("is refused for a submission whose value came with it", async () => {
    await domain.submit({ models: [{ name: "m", size: 1, sha256: sha256("m") }] });
    await expect(store("abc")).rejects.toMatchObject({ code: "unexpected" });
    expect(await domain.row()).toMatchObject({ state: "cancelled" });
  });

  it("says what went wrong at first, when cancelling fails too", async () => {
    await domain.submit();
    await domain.report({ type: "started" });
    await domain.set({ state: "graded", accepted_at: null });
    await expect(store("abc")).rejects.toMatchObject({ code: "unexpected" });
    expect(domain.seen.logged).toMatchObject([
      { event: "submission_cancel_failed", submission: id, err: { code: "already_final" } },
    ]);
  });
});
