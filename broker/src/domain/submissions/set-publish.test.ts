import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { idOf, openToyBoards, type ToyBoards, type ToyChallenge } from "../../../test/support/toy-boards.ts";
import { agree } from "../agreements/agreements.ts";
import { MIT_DIGEST } from "../agreements/mit-license.ts";
import type { Caller } from "../participants/api-keys.ts";
import { closeChallenge } from "../publishing/close-challenge.ts";
import { type PublishChoiceNeeds, setPublish } from "./set-publish.ts";

const NOW = new Date("2026-03-10T12:00:00.000Z");
const ADA: Caller = { kind: "participant", id: idOf("ada"), name: "ada", keyHash: "" };
const BOB: Caller = { kind: "participant", id: idOf("bob"), name: "bob", keyHash: "" };

let toy: ToyBoards;
let challenge: ToyChallenge;
beforeAll(async () => {
  toy = await openToyBoards();
  await agreeAs(ADA);
});
afterAll(() => toy.close());
beforeEach(() => {
  challenge = toy.challenge();
});

const agreeAs = (person: Pick<Caller, "id" | "member">) =>
  agree({ records: toy.records, clock: () => NOW }, person, {
    ...{ digest: MIT_DIGEST, where: "page", ip: "", userAgent: "" },
  });
/** Services of a submission that neither waits nor has media: viewing it asks no more. */
const context = () =>
  ({
    ...{ records: toy.records, catalog: challenge.catalog, clock: () => NOW },
    baseUrl: () => "http://localhost",
  }) as unknown as PublishChoiceNeeds;
const set = (caller: Caller, id: string, publish: boolean) => setPublish(context(), caller, id, publish);
/** Makes a graded submission, with code in this state. */
async function submit(code: "stored" | "missing" | "awaited" | null, more: object = {}): Promise<string> {
  const { id, number } = await challenge.submit("ada", { state: "graded", ...more });
  if (code !== null)
    await toy.db
      .insertInto("submission_code")
      .values({
        ...{ submission: id, challenge: challenge.id, participant_id: ADA.id, state: code, commit_name: "c" },
        ...{
          tree: "t",
          files: 1,
          bytes: 1,
          holds: 0,
          deadline_at: null,
          final_seq: number,
          final_commit: "f",
        },
      })
      .execute();
  return id;
}
const requests = async (id: string) =>
  (
    await toy.db
      .selectFrom("publish_wishes")
      .select(["publish", "at"])
      .where("submission", "=", id)
      .orderBy("id")
      .execute()
  ).map(({ publish }) => publish);
const close = () => closeChallenge(toy.records, challenge.config, challenge.id, { force: true, now: NOW });

describe("the participant of a submission", () => {
  it("may choose to publish it, and withdraw that, and repeating a choice changes nothing", async () => {
    const id = await submit("stored");
    expect(await set(ADA, id, false)).toMatchObject({ id, publish: false });
    for (let time = 0; time < 2; time++)
      expect(await set(ADA, id, true)).toMatchObject({ id, publish: true, published_at: null });
    expect(await requests(id)).toEqual([1]);
    for (let time = 0; time < 2; time++) expect(await set(ADA, id, false)).toMatchObject({ publish: false });
    expect(await requests(id)).toEqual([1, 0]);
  });

  it("publishes at once where the challenge is closed, and cannot withdraw that any more", async () => {
    const [id, never] = [await submit("stored"), await submit("stored")];
    await close();
    expect(await set(ADA, id, true)).toMatchObject({ publish: true, published_at: NOW.toISOString() });
    await expect(set(ADA, id, false)).rejects.toMatchObject({
      code: "challenge_closed",
      message: `${challenge.id} closed on ${NOW.toISOString()}: published code is public now and cannot be withdrawn.`,
    });
    expect(await requests(id)).toEqual([1]);
    // One that was never published stays so.
    expect(await set(ADA, never, false)).toMatchObject({ publish: false, published_at: null });
    expect(await set(ADA, id, true)).toMatchObject({ publish: true });
  });

  it("leaves other submissions alone that are due meanwhile, unless it publishes", async () => {
    const [due, other] = [await submit("stored"), await submit("stored")];
    await close();
    await challenge.change(due, { publish: 1 });
    await set(ADA, other, false);
    expect((await challenge.change(due, {})).published_at).toBeNull();
    await set(ADA, other, true);
    expect((await challenge.change(due, {})).published_at).toBe(NOW.toISOString());
  });

  it("needs code or a model to publish", async () => {
    for (const id of [await submit(null), await submit("missing")]) {
      await expect(set(ADA, id, true)).rejects.toMatchObject({ code: "nothing_to_publish" });
      expect(await requests(id)).toEqual([]);
    }
    for (const id of [
      await submit("awaited"),
      await submit(null, { model_count: 1 }),
      await submit("missing", { model_count: 1 }),
    ])
      expect(await set(ADA, id, true)).toMatchObject({ publish: true });
  });

  it("may withdraw what has nothing to publish any more", async () => {
    const id = await submit("missing", { publish: 1 });
    expect(await set(ADA, id, true)).toMatchObject({ publish: true });
    expect(await set(ADA, id, false)).toMatchObject({ publish: false });
  });

  it("needs to have agreed to the license to publish, but not to withdraw", async () => {
    const { id } = await challenge.submit("bob", { state: "graded", model_count: 1, publish: 1 });
    await expect(set(BOB, id, true)).rejects.toMatchObject({ code: "agreement_missing" });
    expect(await set(BOB, id, false)).toMatchObject({ publish: false });
  });

  it("needs the agreement of the member who made it, in a team", async () => {
    const id = await submit("stored", { member: "Grace" });
    await agreeAs({ id: ADA.id, member: "Émile" });
    await expect(set({ ...ADA, member: "Émile" }, id, true)).rejects.toMatchObject({
      ...{ code: "agreement_missing", message: "Grace, whose code this is, has not agreed to the license." },
    });
    await agreeAs({ id: ADA.id, member: "Grace" });
    expect(await set({ ...ADA, member: "Émile" }, id, true)).toMatchObject({ publish: true });
  });
});

it("another participant's submission is unknown", async () => {
  const id = await submit("stored");
  await expect(set(BOB, id, false)).rejects.toMatchObject({ code: "submission_unknown" });
  expect(await requests(id)).toEqual([]);
});

it("a choice waits while the challenge is being closed, and closing waits for it", async () => {
  const id = await submit("stored");
  const locks: string[] = [];
  const { records } = toy;
  const watched = {
    ...records,
    lockShared: async (...given: Parameters<typeof records.lockShared>) => {
      locks.push(given[1]);
      await records.lockShared(...given);
    },
  };
  await setPublish({ ...context(), records: watched }, ADA, id, true);
  expect(locks).toEqual([`closing:${challenge.id}`]);
});
