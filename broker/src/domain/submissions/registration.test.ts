import { intentSchema } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ADA,
  BOB,
  DAY,
  type Domain,
  graded,
  INTENT,
  ORGANIZER,
  openDomain,
  sha256,
} from "../../../test/support/domain.ts";
import { agree } from "../agreements/agreements.ts";
import { MIT_DIGEST } from "../agreements/mit-license.ts";
import type { Opening } from "../webapp/webapp.ts";
import { DEADLINES } from "./deadlines.ts";
import { readEvents } from "./events.ts";
import { findFreeOrOwn, findSubmission, lockSubmission, requireFreeOrOwn } from "./find-submission.ts";
import { registerIntent } from "./register-intent.ts";

const { id } = INTENT;
const SECOND = "submission-2";
let domain: Domain;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve({ accepts: { json: {}, file: { extensions: [] }, model: {} } });
});
afterEach(() => domain.close());

const file = (bytes: string, more: object = {}) => ({
  ...{ kind: "file" as const, name: "a.csv", size: bytes.length, sha256: sha256(bytes), ...more },
});
const value = (data: unknown) => ({ input: { kind: "inline" as const, data } });
const code = (digit = "1", more: object = {}) => ({
  ...{ commit: digit.repeat(40), tree: digit.repeat(40), files: 1, bytes: 10, ...more },
});
const count = async () => (await domain.db.selectFrom("submissions").select("id").execute()).length;
const stored = (submission = id) =>
  domain.db.selectFrom("submission_code").selectAll().where("submission", "=", submission).executeTakeFirst();
const limited = (more: object = {}) =>
  domain.serve({ rounds: [{ id: "1", limit: { count: 1, per: "round" }, ...more }] });

describe("registering an intent", () => {
  it("accepts a value in the message at once, and takes a slot from its arrival", async () => {
    const receipt = await domain.submit({
      message: "first\u0007 try",
      sealed_at: "2026-03-09T10:00:00+01:00",
    });
    expect(receipt).toMatchObject({
      ...{ upload: null, code: null, models: [] },
      submission: { id, state: "submitted", slot: "reserved", participant: "ada", attempt: 1, seq: 2 },
    });
    const at = domain.at();
    const row = await domain.row();
    expect(row).toMatchObject({
      ...{ created_at: at, accepted_at: at, deadline_at: domain.at(DEADLINES.submitted), starts: 0 },
      ...{
        input_data: '{"a":1}',
        input_key: null,
        message: "first\\u0007 try",
        dry_run: 0,
        post_challenge: 0,
      },
      ...{ sealed_at: "2026-03-09T09:00:00.000Z", member: null, model_count: 0, publish: 0 },
    });
    expect(await domain.slot()).toEqual({ state: "reserved", reason: null, settled_at: null });
    expect(await domain.attempts()).toMatchObject([
      { number: 1, state: "waiting", published_at: null, delivery: 0, accepted: 0, regrade: null },
    ]);
    expect(domain.seen.announced).toEqual([`sums ${id} 1 initiated`, `sums ${id} 2 submitted`]);
    expect(domain.seen.dispatched).toEqual([id]);
    expect(domain.seen.locked).toEqual([`submission:${id}`, "participant:1:sums"]);
  });

  it("of a file says where its bytes go, and waits a week for them", async () => {
    const { upload, submission } = await domain.submit({ input: file("abc") });
    expect(submission).toMatchObject({ state: "initiated", slot: "reserved", attempt: 0, seq: 1 });
    expect(upload!.parts).toMatchObject([{ number: 1, size: 3, method: "PUT" }]);
    expect(await domain.row()).toMatchObject({
      ...{ accepted_at: null, deadline_at: domain.at(DEADLINES.initiated) },
      ...{ input_key: `submissions/sums/${id}/input`, input_name: "a.csv", input_data: null },
    });
    expect(await domain.attempts()).toEqual([]);
    expect(domain.seen).toMatchObject({ announced: [`sums ${id} 1 initiated`], dispatched: [] });
  });

  it("of a file is not held to the schema of values", async () => {
    domain.serve({ accepts: { file: { extensions: [] }, json: { schema: { type: "array" } } } });
    expect((await domain.submit({ input: file("abc") })).submission.state).toBe("initiated");
  });

  it("of a value with models waits for the models", async () => {
    const models = ["one", "two"].map((name) => ({ name, size: 1, sha256: sha256(name) }));
    const receipt = await domain.submit({ models });
    expect(receipt.submission).toMatchObject({ state: "initiated" });
    expect(receipt.upload).toBeNull();
    expect(receipt.models.map(({ name, upload }) => [name, upload!.missing])).toEqual([
      ["one", { parts: 1, bytes: 1 }],
      ["two", { parts: 1, bytes: 1 }],
    ]);
    expect(await domain.row()).toMatchObject({ input_key: null, input_data: '{"a":1}', model_count: 2 });
  });

  it("names the member of a team who submitted", async () => {
    await domain.submit({}, { ...ADA, member: "eve" });
    expect(await domain.row()).toMatchObject({ member: "eve" });
  });

  it("again, any number of times at once, is one submission with one slot", async () => {
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => domain.submit()));
    for (const other of others) expect(other).toEqual(first);
    expect(await count()).toBe(1);
    expect(domain.seen.announced).toHaveLength(2);
    expect(domain.seen.dispatched).toEqual([id]);
    domain.pass(1000);
    expect((await domain.submit()).submission.created_at).toBe(first!.submission.created_at);
  });

  it.each([
    ["another value", value(2)],
    ["a file", { input: file("x") }],
    ["another function", { function: "evaluate" }],
    ["a dry run", { dry_run: true }],
    ["a model", { models: [{ name: "m", size: 1, sha256: sha256("m") }] }],
    ["another value, and code", { ...value(2), code: code() }],
  ])("again with %s is a conflict", async (_, more) => {
    await domain.submit();
    await expect(domain.submit(more)).rejects.toMatchObject({ code: "id_conflict" });
    expect(await count()).toBe(1);
  });

  it("in another challenge is a conflict", async () => {
    domain.serve({ id: "another" });
    await domain.submit();
    await expect(domain.submit({ challenge: "another" })).rejects.toMatchObject({ code: "id_conflict" });
  });

  it("with other models is a conflict", async () => {
    const model = (name: string, bytes = name) => ({ name, size: 1, sha256: sha256(bytes) });
    await domain.submit({ models: [model("m")] });
    await domain.submit({ models: [model("m")] });
    for (const other of [model("n", "m"), model("m", "n")])
      await expect(domain.submit({ models: [other] })).rejects.toMatchObject({ code: "id_conflict" });
  });

  it("reports a store that cannot be reached, and goes on when it is sent again", async () => {
    const { planUpload } = domain.services.objects;
    const away = new Error("the store is away");
    domain.services.objects.planUpload = () => {
      domain.services.objects.planUpload = planUpload;
      return Promise.reject(away);
    };
    await expect(domain.submit({ input: file("abc") })).rejects.toBe(away);
    expect((await domain.submit({ input: file("abc") })).upload!.parts).toHaveLength(1);
    expect(await count()).toBe(1);
  });

  it("of a session is accepted at once", async () => {
    domain.serve({ environment: { gym: "env.py:make" }, accepts: {} });
    const { submission } = await domain.submit({ input: { kind: "session" } });
    expect(submission.state).toBe("submitted");
    expect(await domain.row()).toMatchObject({
      ...{ input_kind: "session", input_name: null, input_size: 0, input_sha256: sha256("") },
      ...{ input_data: null, input_key: null, attempt: 1 },
    });
    expect((await domain.submit({ input: { kind: "session" } })).submission.id).toBe(id);
  });

  it("names the functions that there are", async () => {
    await expect(domain.submit({ function: "fly" })).rejects.toMatchObject({
      details: { functions: ["submit"] },
    });
  });

  it("under another participant's id is a conflict", async () => {
    await domain.submit();
    await expect(domain.submit({}, BOB)).rejects.toMatchObject({
      ...{ code: "id_conflict", message: `The id "${id}" was already used for something else.` },
    });
    // The other one registered it a moment ago.
    const registering = registerIntent(domain.services, BOB, intentSchema.parse(INTENT), undefined);
    await expect(registering).rejects.toMatchObject({ code: "id_conflict" });
    await expect(findFreeOrOwn(domain.db, BOB, id)).rejects.toMatchObject({ code: "id_conflict" });
    await requireFreeOrOwn(domain.db, ADA, [id, "free-one"]);
    await expect(requireFreeOrOwn(domain.db, BOB, ["free-one", id])).rejects.toMatchObject({
      ...{ code: "id_conflict", message: `The id "${id}" was already used for something else.` },
    });
  });

  it.each([
    [
      "a private challenge, without an invitation",
      { visibility: { private: true } },
      {},
      "unknown challenge",
    ],
    ["a function that does not exist", {}, { function: "fly" }, 'no function "fly"'],
    ["a kind of input that is not accepted", { accepts: { file: {} } }, {}, "not JSON values"],
    ["a value that the schema refuses", { accepts: { json: { schema: { type: "string" } } } }, {}, /./],
    [
      "a round that has not begun",
      { rounds: [{ id: "1", starts_at: "2026-04-01T00:00:00Z" }] },
      {},
      "opens at",
    ],
    [
      "a round that has ended",
      { rounds: [{ id: "1", ends_at: "2026-03-01T00:00:00Z" }], after_end: "reject" },
      {},
      "ended at",
    ],
    ["no code where it is required", { code: { capture: "required" } }, {}, "requires the code"],
    ["too much code", { accepts: { json: {}, code: { max_bytes: 5 } } }, { code: code() }, "at most 5"],
    [
      "a model that is not accepted",
      { accepts: { json: {}, model: null } },
      { models: [{ name: "m", size: 1, sha256: sha256("m") }] },
      "models",
    ],
    [
      "no command for its code",
      { run: { command: "submission", output: { path: "out.csv" } } },
      { code: code(), input: { kind: "code" } },
      "command",
    ],
    ["a request to publish nothing", {}, { publish: true }, "no code or models"],
  ] as const)("is refused for %s, and takes no slot", async (_, config, more, message) => {
    domain.serve(config);
    await expect(domain.submit(more as object)).rejects.toThrow(message);
    expect(await count()).toBe(0);
    expect(await domain.slot()).toBeUndefined();
  });

  it("is refused for a disqualified participant", async () => {
    await domain.db
      .insertInto("disqualifications")
      .values({ participant_id: ADA.id, challenge: null, decision: "disqualified", reason: "why", at: "" })
      .execute();
    await expect(domain.submit()).rejects.toMatchObject({ code: "disqualified" });
    await domain.submit({}, BOB);
  });

  it("in a closed challenge is refused while the round is open, and marked after its end", async () => {
    await domain.db
      .insertInto("closures")
      .values({ challenge: "sums", closed_at: domain.at(), version: 0, shown: 0 })
      .execute();
    await expect(domain.submit()).rejects.toMatchObject({ code: "challenge_closed" });
    domain.serve({ rounds: [{ id: "1", ends_at: "2026-03-01T00:00:00Z" }], after_end: "accept" });
    await domain.submit();
    expect(await domain.row()).toMatchObject({ post_challenge: 1 });
    const slot = await domain.db.selectFrom("slots").selectAll().executeTakeFirst();
    expect(slot).toMatchObject({ participant_id: 1, challenge: "sums", round: "1", post_challenge: 1 });
  });

  it("with a request to publish needs the agreement, and keeps the choice", async () => {
    await expect(domain.submit({ publish: true, code: code() })).rejects.toMatchObject({
      code: "agreement_missing",
    });
    await agree(domain.services, ADA, { digest: MIT_DIGEST, where: "page", ip: "", userAgent: "" });
    const { submission } = await domain.submit({ publish: true, code: code() });
    expect(submission.publish).toBe(true);
    const choices = await domain.db.selectFrom("publish_wishes").select(["submission", "publish"]).execute();
    expect(choices).toEqual([{ submission: id, publish: 1 }]);
  });
});

describe("the rules of slots", () => {
  it("hold for submissions that arrive at the same time", async () => {
    limited({ parallel_limit: null });
    const both = await Promise.allSettled([domain.submit(), domain.submit({ id: SECOND })]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect((both[1] as PromiseRejectedResult).reason).toMatchObject({ code: "no_slots" });
    await domain.submit({ id: SECOND }, BOB);
  });

  it("do not hold for dry runs, which are limited in number", async () => {
    limited({ parallel_limit: 2 });
    await domain.submit();
    expect((await domain.submit({ id: SECOND, dry_run: true })).submission).toMatchObject({
      ...{ slot: "none", state: "submitted" },
    });
    expect(await domain.row(SECOND)).toMatchObject({ dry_run: 1 });
    expect(await domain.slot(SECOND)).toBeUndefined();
    await expect(domain.submit({ id: "submission-3", dry_run: true })).rejects.toMatchObject({
      code: "parallel_limit",
    });
  });

  it("do not hold for other functions, of which 2000 may wait", async () => {
    limited({ parallel_limit: 1 });
    domain.serve({
      ...{ evaluator: { command: ["true"], functions: ["submit", "evaluate"] } },
      rounds: [{ id: "1", limit: { count: 1, per: "round" }, parallel_limit: 1 }],
    });
    await domain.submit();
    const { submission } = await domain.submit({ id: SECOND, function: "evaluate" });
    expect(submission.slot).toBe("none");
    const { number: _, ...row } = await domain.row(SECOND);
    const rows = Array.from({ length: 1998 }, (_, index) => ({ ...row, id: `call-${index}` }));
    for (let at = 0; at < rows.length; at += 500)
      await domain.db
        .insertInto("submissions")
        .values(rows.slice(at, at + 500))
        .execute();
    await domain.submit({ id: "submission-3", function: "evaluate" });
    await expect(domain.submit({ id: "submission-4", function: "evaluate" })).rejects.toMatchObject({
      code: "too_many_requests",
    });
  });

  it("limit the trials of a check", async () => {
    domain.serve({
      ...{ evaluator: { command: ["true"], functions: ["submit", "check"] } },
      check: { function: "check", per_hour: 1 },
    });
    await domain.submit({ function: "check" });
    await expect(domain.submit({ id: SECOND, function: "check" })).rejects.toMatchObject({
      code: "too_many_requests",
    });
  });

  it("require the score of the round before", async () => {
    domain.serve({
      rounds: [
        { id: "1", ends_at: "2026-03-01T00:00:00Z" },
        { id: "2", starts_at: "2026-03-02T00:00:00Z", minimum_score: 1 },
      ],
    });
    await expect(domain.submit()).rejects.toMatchObject({ code: "not_qualified" });
    // A dry run is for everyone.
    await domain.submit({ dry_run: true });
  });
});

describe("a webapp that is asked first", () => {
  let opened: Opening[];
  let meanwhile: () => Promise<unknown>;
  beforeEach(() => {
    opened = [];
    meanwhile = async () => {};
    domain.services.webapp = {
      ...domain.services.webapp,
      async open(opening, allowed) {
        opened.push(opening);
        await meanwhile();
        await allowed();
      },
    };
  });

  it("learns of submissions that take a slot, and of no others", async () => {
    domain.serve({ evaluator: { command: ["true"], functions: ["submit", "evaluate"] } });
    await domain.submit({ message: "hello" });
    await domain.submit({ id: SECOND, dry_run: true });
    await domain.submit({ id: "submission-3", function: "evaluate" });
    await domain.submit({ message: "hello" });
    expect(opened).toEqual([{ id, challenge: "sums", message: "hello", caller: ADA }]);
  });

  it("learns of none that the rules refuse", async () => {
    limited();
    await domain.submit();
    let isRefused = false;
    domain.services.webapp.open = async (_, allowed) => {
      isRefused = await allowed().then(
        () => false,
        () => true,
      );
    };
    await expect(domain.submit({ id: SECOND })).rejects.toMatchObject({ code: "no_slots" });
    expect(isRefused).toBe(true);
  });

  it("does not stop a message whose twin has just taken the last slot", async () => {
    limited();
    meanwhile = async () => {
      meanwhile = async () => {};
      await domain.submit();
    };
    expect((await domain.submit()).submission).toMatchObject({ id, state: "submitted" });
    expect(await count()).toBe(1);
  });
});

describe("code that comes with a submission", () => {
  it("is announced, and the receipt says where to push it", async () => {
    const receipt = await domain.submit({ code: code() });
    expect(receipt.code).toMatchObject({ ref: `refs/incoming/${id}`, have: false });
    expect(await stored()).toMatchObject({ commit_name: "1".repeat(40), state: "awaited", holds: 0 });
    // The code may be there already: all that waits is looked at.
    expect(domain.seen.dispatched).toEqual(["all"]);
    expect(domain.seen.locked).toContain("code:sums:1");
  });

  it("that changed before it arrived is the newer one", async () => {
    await domain.submit({ code: code("1") });
    domain.seen.locked.length = 0;
    domain.seen.dispatched.length = 0;
    const receipt = await domain.submit({ code: code("2") });
    expect(receipt.code).toMatchObject({ have: false });
    expect(await stored()).toMatchObject({ commit_name: "2".repeat(40) });
    expect(domain.seen).toMatchObject({ locked: ["code:sums:1"], dispatched: ["all"] });
  });

  it("of a submission that has ended stays what it was", async () => {
    await domain.submit({ code: code("1") });
    await domain.report({ type: "finished", outcome: graded(1) });
    domain.seen.dispatched.length = 0;
    expect((await domain.submit({ code: code("2") })).submission.state).toBe("graded");
    expect(await stored()).toMatchObject({ commit_name: "1".repeat(40) });
    expect(domain.seen.dispatched).toEqual([]);
  });

  it("of a submission that ends at the same moment stays what it was", async () => {
    await domain.submit({ code: code("1") });
    const known = await domain.row();
    await domain.report({ type: "finished", outcome: graded(1) });
    const again = intentSchema.parse({ ...INTENT, code: code("2") });
    const receipt = await registerIntent(domain.services, ADA, again, known);
    expect(receipt.submission.state).toBe("graded");
    expect(await stored()).toMatchObject({ commit_name: "1".repeat(40) });
  });

  describe("and is the submission", () => {
    const run = (digit: string, more: object = {}) => ({
      input: { kind: "code" as const },
      ...{ code: code(digit), ...more },
    });
    beforeEach(() => {
      domain.serve({
        run: { command: ["run"], output: { path: "out.csv" } },
        accepts: { code: { max_bytes: 50 } },
      });
    });

    it("may change until it arrived", async () => {
      await domain.submit(run("1"));
      const before = await domain.row();
      const { submission } = await domain.submit(run("2"));
      expect(await domain.row()).toMatchObject({ input_sha256: sha256("2".repeat(40)), seq: before.seq });
      expect(submission.input!.sha256).toBe(sha256("2".repeat(40)));
      expect(await stored()).toMatchObject({ commit_name: "2".repeat(40), holds: 2 });
    });

    it("may not change any more once it arrived", async () => {
      await domain.submit(run("1"));
      await domain.db.updateTable("submission_code").set({ state: "stored", tree_key: "k" }).execute();
      await expect(domain.submit(run("2"))).rejects.toMatchObject({ code: "id_conflict" });
      expect(await domain.row()).toMatchObject({ input_sha256: sha256("1".repeat(40)) });
      expect((await domain.submit(run("1"))).code).toMatchObject({ have: true });
    });

    it("may change its command until it arrived, and not after that", async () => {
      domain.serve({ run: { command: "submission", output: { path: "out.csv" } } });
      const named = (word: string) => run("1", { input: { kind: "code", command: [word] } });
      await domain.submit(named("first"));
      await domain.submit(named("second"));
      expect(await domain.row()).toMatchObject({ input_data: '["second"]' });
      await domain.db.updateTable("submission_code").set({ state: "stored", tree_key: "k" }).execute();
      await expect(domain.submit(named("third"))).rejects.toMatchObject({ code: "id_conflict" });
      expect((await domain.submit(named("second"))).submission.state).toBe("submitted");
    });

    it("cannot be sent again without code", async () => {
      await domain.submit(run("1"));
      const without = { input: { kind: "code" as const } };
      await expect(domain.submit(without)).rejects.toMatchObject({ code: "id_conflict" });
      await expect(domain.submit({ ...without, id: SECOND })).rejects.toMatchObject({
        code: "code_required",
      });
    });

    it("may not change once the submission has ended", async () => {
      await domain.submit(run("1"));
      await domain.set({ state: "cancelled" });
      await expect(domain.submit(run("2"))).rejects.toMatchObject({ code: "id_conflict" });
      expect((await domain.submit(run("1"))).submission.state).toBe("cancelled");
    });

    it("is held to the rules again when it changes", async () => {
      await domain.submit(run("1"));
      const large = { code: code("2", { bytes: 60 }) };
      await expect(domain.submit(run("2", large))).rejects.toMatchObject({ code: "code_too_large" });
      domain.serve({ run: { command: "submission", output: { path: "out.csv" } } });
      await expect(domain.submit(run("3"))).rejects.toMatchObject({ code: "code_invalid" });
      expect(await domain.row()).toMatchObject({ input_sha256: sha256("1".repeat(40)) });
    });
  });
});

describe("a submission is found", () => {
  const find = (by: typeof ADA, name = id) => findSubmission(domain.db, by, name);
  it("by its participant, and by an organizer of its challenge", async () => {
    await domain.submit();
    expect(await find(ADA)).toMatchObject({ id });
    const people = { id: 1, name: "olga", name_key: "olga", created_at: "" };
    await domain.db.insertInto("organizers").values(people).execute();
    const scope = { organizer_id: 1, challenge: "another" };
    await domain.db.insertInto("organizer_challenges").values(scope).execute();
    await expect(find(ORGANIZER)).rejects.toMatchObject({ code: "submission_unknown" });
    await domain.db
      .insertInto("organizer_challenges")
      .values({ ...scope, challenge: "sums" })
      .execute();
    expect(await find(ORGANIZER)).toMatchObject({ id });
    await expect(find({ ...ORGANIZER, id: 2 })).rejects.toMatchObject({ code: "submission_unknown" });
  });

  it("by no one else, as if there were none", async () => {
    await domain.submit();
    const long = "x".repeat(100);
    for (const [by, name] of [
      [BOB, id],
      [ADA, "unknown-one"],
      [ADA, long],
    ] as const)
      await expect(find(by, name)).rejects.toMatchObject({
        ...{ code: "submission_unknown" },
        message: `There is no submission "${name.slice(0, 64)}" of yours at this broker.`,
      });
  });
});

describe("locks", () => {
  it("are for a submission that exists", async () => {
    const locking = domain.db
      .transaction()
      .execute((trx) => lockSubmission(domain.records, trx, "unknown-one"));
    await expect(locking).rejects.toMatchObject({ code: "submission_unknown" });
  });

  it("of standings are for one challenge, and shared by grades", async () => {
    await domain.submit();
    await domain.report({ type: "finished", outcome: graded(1) });
    expect(domain.seen.locked).toContain("standings:sums shared");
  });
});

describe("the history", () => {
  it("is read from any point", async () => {
    await domain.submit();
    domain.pass(DAY);
    await domain.report({ type: "finished", outcome: graded(1) });
    const types = async (after: number) =>
      (await readEvents(domain.db, id, after)).map(({ seq, type }) => `${seq} ${type}`);
    expect(await types(0)).toEqual(["1 initiated", "2 submitted", "3 grading", "4 graded"]);
    expect(await types(3)).toEqual(["4 graded"]);
    expect(await types(4)).toEqual([]);
    const [last] = await readEvents(domain.db, id, 3);
    expect(last).toMatchObject({ submission: id, at: domain.at(), data: { score: 1 } });
  });

  it("goes to a remote webapp and to webhooks when the submission ends, in the same transaction", async () => {
    await domain.db
      .insertInto("webapp_submissions")
      .values({
        ...{
          submission: id,
          participant_id: 1,
          challenge: "sums",
          number: 7,
          sealed_key: null,
          created_at: "",
        },
        ...{
          news: 0,
          told: 0,
          tries: 0,
          next_try_at: "later",
          claimed_until: null,
          outcome: null,
          note: null,
        },
      })
      .execute();
    const events = JSON.stringify(["submission.graded"]);
    await domain.db
      .insertInto("webhooks")
      .values({ challenge: "sums", url: "http://hook", events, created_at: "", missing_since: null })
      .execute();
    const outbox = async () => [
      (await domain.db.selectFrom("webapp_submissions").select("news").executeTakeFirst())!.news,
      (await domain.db.selectFrom("webhook_messages").select("subject").execute()).map(
        ({ subject }) => subject,
      ),
    ];
    await domain.submit();
    await domain.report({ type: "started" });
    await domain.report({ type: "progress", percent: 1, message: null });
    expect(await outbox()).toEqual([0, []]);
    await domain.report({ type: "finished", outcome: graded(1) });
    expect(await outbox()).toEqual([1, [`${id} 5`]]);
  });
});
