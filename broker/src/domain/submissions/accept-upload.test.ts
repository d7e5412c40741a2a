import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ADA,
  BOB,
  DAY,
  type Domain,
  INTENT,
  MINUTE,
  openDomain,
  sha256,
} from "../../../test/support/domain.ts";
import { acceptUpload } from "./accept-upload.ts";
import { abandonUploads } from "./announced-parts.ts";
import { cancelSubmission } from "./cancel-submission.ts";
import { DEADLINES } from "./deadlines.ts";
import { removeEndedUploads } from "./ended-uploads.ts";

const { id } = INTENT;
const KEY = `submissions/sums/${id}/input`;
let domain: Domain;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve({ accepts: { json: {}, file: { extensions: [] }, model: {} } });
});
afterEach(() => domain.close());

const accept = (by = ADA) => acceptUpload(domain.services, by, id);
const announced = (kind: "file" | "json", bytes: string) => ({
  input: {
    kind,
    name: kind === "file" ? "a.csv" : null,
    size: Buffer.byteLength(bytes),
    sha256: sha256(bytes),
  },
});
const model = (name: string) => ({ name, size: name.length, sha256: sha256(name) });
const put = (bytes: string | Buffer, key = KEY) => domain.objects.put(key, Buffer.from(bytes));
const clear = () => {
  for (const list of Object.values(domain.seen)) list.length = 0;
};
const keys = async () => {
  const found = [];
  for await (const key of domain.objects.list("submissions/")) found.push(key);
  return found;
};

describe("completing an upload", () => {
  it("accepts the submission, and queues it", async () => {
    await domain.submit(announced("file", "abc"));
    await put("abc");
    clear();
    domain.pass(MINUTE);
    const { submission, upload } = await accept();
    expect(submission).toMatchObject({ state: "submitted", accepted_at: domain.at(), attempt: 1, seq: 2 });
    expect(upload).toBeNull();
    expect(await domain.row()).toMatchObject({
      ...{ deadline_at: domain.at(DEADLINES.submitted), created_at: domain.at(-MINUTE) },
    });
    expect(await domain.attempts()).toMatchObject([{ number: 1, state: "waiting" }]);
    expect(domain.seen).toMatchObject({
      ...{ announced: [`sums ${id} 2 submitted`], dispatched: ["all"], uploaded: [3] },
    });
    expect(await keys()).toEqual([KEY]);
  });

  it("twice is once", async () => {
    await domain.submit(announced("file", "abc"));
    await put("abc");
    const first = await accept();
    clear();
    expect(await accept()).toEqual(first);
    expect(domain.seen).toMatchObject({ announced: [], dispatched: [], uploaded: [] });
    expect(await domain.attempts()).toHaveLength(1);
  });

  it("in two brokers at once is once", async () => {
    await domain.submit(announced("file", "abc"));
    await put("abc");
    clear();
    const [one, other] = await Promise.all([accept(), accept()]);
    expect(one).toEqual(other);
    expect(domain.seen).toMatchObject({ announced: [`sums ${id} 2 submitted`], uploaded: [3] });
    expect(await domain.attempts()).toHaveLength(1);
    expect(await keys()).toEqual([KEY]);
  });

  it("is refused while bytes are missing", async () => {
    await domain.submit({ ...announced("file", "abc"), models: [model("one"), model("two")] });
    await expect(accept()).rejects.toMatchObject({ code: "upload_missing" });
    await put("abc");
    await put("one", `submissions/sums/${id}/models/1`);
    await expect(accept()).rejects.toMatchObject({ code: "upload_missing" });
    expect(await domain.row()).toMatchObject({ state: "initiated", attempt: 0 });
    const { upload, models } = await domain.submit({
      ...{ ...announced("file", "abc"), models: [model("one"), model("two")] },
    });
    expect(upload!.parts).toEqual([]);
    expect(models).toMatchObject([
      { name: "one", upload: null },
      { name: "two", upload: { missing: { parts: 1, bytes: 3 } } },
    ]);
    await put("two", `submissions/sums/${id}/models/2`);
    const accepted = await accept();
    expect(accepted.submission.state).toBe("submitted");
    expect(accepted.models).toEqual([
      { name: "one", upload: null },
      { name: "two", upload: null },
    ]);
  });

  it("of a value with models waits for them alone", async () => {
    await domain.submit({ models: [model("one")] });
    await put("one", `submissions/sums/${id}/models/1`);
    expect((await accept()).submission.state).toBe("submitted");
  });

  it("forgets the parts that were announced", async () => {
    const md5 = createHash("md5").update("abc").digest("hex");
    const parts = { size: 5 * 1024 * 1024, md5: [md5] };
    const input = { ...announced("file", "abc").input, parts };
    const intent = { input, models: [{ ...model("abc"), parts }] };
    await domain.submit(intent as never);
    const known = () => domain.db.selectFrom("announced_parts").select("submission").execute();
    expect(await known()).toHaveLength(1);
    await put("abc");
    await put("abc", `submissions/sums/${id}/models/1`);
    await accept();
    expect(await known()).toEqual([]);
    expect(await domain.db.selectFrom("models").select("md5").execute()).toEqual([{ md5: null }]);
  });

  it("is for its participant alone", async () => {
    await domain.submit(announced("file", "abc"));
    await put("abc");
    await expect(accept(BOB)).rejects.toMatchObject({ code: "submission_unknown" });
  });

  it("of a cancelled submission is refused", async () => {
    await domain.submit(announced("file", "abc"));
    await cancelSubmission(domain.services, ADA, id);
    await expect(accept()).rejects.toMatchObject({
      ...{ code: "cancelled", message: "Cancelled by the participant." },
    });
    // Also when it had been accepted before.
    await domain.set({ accepted_at: domain.at(), error_code: null, error_message: null });
    await expect(accept()).rejects.toMatchObject({ code: "cancelled" });
  });

  it("of a submission that failed before it was accepted says why", async () => {
    await domain.submit(announced("file", "abc"));
    await domain.set({ state: "failed", error_code: "upload_abandoned", error_message: "too late" });
    await expect(accept()).rejects.toMatchObject({ code: "upload_abandoned", message: "too late" });
  });

  it("of a submission that was graded meanwhile returns its grade", async () => {
    await domain.submit(announced("file", "abc"));
    await domain.set({ state: "failed", accepted_at: domain.at(), error_code: "rejected" });
    expect((await accept()).submission).toMatchObject({ state: "failed", error: { code: "rejected" } });
  });

  it("of a submission that is cancelled while its bytes are verified removes them", async () => {
    await domain.submit(announced("file", "abc"));
    await put("abc");
    const { objects } = domain.services;
    const finishUpload: typeof objects.finishUpload = async (key, wanted) => {
      await objects.finishUpload(key, wanted);
      await domain.set({ state: "cancelled", error_code: "cancelled" });
      clear();
    };
    const services = { ...domain.services, objects: { ...objects, finishUpload } };
    expect((await acceptUpload(services, ADA, id)).submission.state).toBe("cancelled");
    expect(await keys()).toEqual([]);
    expect(await domain.attempts()).toEqual([]);
    expect(domain.seen).toMatchObject({ announced: [], uploaded: [] });
  });
});

describe("an upload", () => {
  const announce = (models: object[] = [], bytes = "abc", parts = {}) =>
    domain.submit({ input: { ...announced("file", bytes).input, ...parts }, models } as never);
  const known = () => domain.db.selectFrom("announced_parts").select("submission").execute();

  it("in parts is planned again as it was announced", async () => {
    const size = 6 * 1024 * 1024;
    const md5 = ["one", "two"].map((text) => createHash("md5").update(text).digest("hex"));
    const parts = { size: 5 * 1024 * 1024, md5 };
    const { upload } = await announce([], "x".repeat(size), { parts });
    expect(upload!.parts.map((part) => [part.number, part.size])).toEqual([
      [1, parts.size],
      [2, size - parts.size],
    ]);
  });

  it("that was cancelled is removed, with its models", async () => {
    const parts = { size: 5 * 1024 * 1024, md5: [createHash("md5").update("one").digest("hex")] };
    await domain.submit({ models: [{ ...model("one"), parts }] });
    await put("one", `submissions/sums/${id}/models/1`);
    await cancelSubmission(domain.services, ADA, id);
    expect(await keys()).toEqual([]);
    expect(await domain.db.selectFrom("models").select("md5").execute()).toEqual([{ md5: null }]);
    expect(domain.seen.logged).toEqual([]);
  });

  it("that arrives after its submission has ended is removed within a day", async () => {
    await domain.submit({ ...announced("file", "abc"), models: [model("one")] });
    await cancelSubmission(domain.services, ADA, id);
    const late = [KEY, `submissions/sums/${id}/models/1`];
    for (const key of late) await put("abc", key);
    await removeEndedUploads(domain.services);
    expect(await keys()).toEqual(late);
    domain.pass(DAY);
    const { remove } = domain.objects;
    domain.services.objects.remove = () => Promise.reject(new Error("the store is away"));
    await expect(removeEndedUploads(domain.services)).rejects.toThrow("the store is away");
    domain.services.objects.remove = remove;
    await removeEndedUploads(domain.services);
    expect(await keys()).toEqual([]);
    await put("abc");
    await removeEndedUploads(domain.services);
    expect(await keys()).toEqual([KEY]);
  });

  it("is removed with all others that are due", async () => {
    for (let n = 0; n <= 100; n++) {
      await domain.submit({ id: `submission-${n}`, ...announced("file", "abc") });
      await cancelSubmission(domain.services, ADA, `submission-${n}`);
    }
    domain.pass(DAY);
    await removeEndedUploads(domain.services);
    expect(await domain.db.selectFrom("ended_uploads").selectAll().execute()).toEqual([]);
  });

  it.each([
    ["a file alone", () => announced("file", "abc"), true],
    ["a model beside a value", () => ({ models: [model("one")] }), true],
    ["no object", () => ({}), false],
  ])("is expected late only where there was one: %s", async (_, input, isNoted) => {
    await domain.submit(input());
    await domain.set({ state: "initiated", accepted_at: null });
    await cancelSubmission(domain.services, ADA, id);
    expect(await domain.db.selectFrom("ended_uploads").selectAll().execute()).toEqual(
      isNoted ? [{ submission: id, due_at: domain.at(DAY) }] : [],
    );
  });

  it("that was accepted stays when its submission ends", async () => {
    await domain.submit(announced("file", "abc"));
    await put("abc");
    await accept();
    await cancelSubmission(domain.services, ADA, id);
    domain.pass(DAY);
    await removeEndedUploads(domain.services);
    expect(await keys()).toEqual([KEY]);
  });

  it("that was cancelled while the store is unreachable is left to be removed later", async () => {
    const parts = { size: 5 * 1024 * 1024, md5: [createHash("md5").update("abc").digest("hex")] };
    await announce([], "abc", { parts });
    domain.services.objects.remove = () => Promise.reject(new Error("the store is away"));
    expect((await cancelSubmission(domain.services, ADA, id)).state).toBe("cancelled");
    expect(domain.seen.logged).toMatchObject([{ event: "upload_removal_failed", submission: id }]);
    expect(await known()).toHaveLength(1);
  });

  it("is abandoned a day after the deadline of its submission", async () => {
    const asked: number[] = [];
    const found = [0, 2];
    domain.services.objects.abandonUploads = async (before) => {
      asked.push(before);
      return found.shift()!;
    };
    await abandonUploads(domain.services);
    expect(domain.seen.logged).toEqual([]);
    await abandonUploads(domain.services);
    expect(domain.seen.logged).toEqual([{ event: "abandoned_uploads_removed", uploads: 2 }]);
    const before = domain.now() - DEADLINES.initiated - 24 * 60 * MINUTE;
    expect(asked).toEqual([before, before]);
  });
});

describe("a value that was uploaded", () => {
  const serve = (schema: object, more: object = {}) =>
    domain.serve({ accepts: { json: { schema } }, ...more });
  async function upload(text: string | Buffer) {
    const bytes = Buffer.from(text);
    const digest = createHash("sha256").update(bytes).digest("hex");
    await domain.submit({ input: { kind: "json", name: null, size: bytes.length, sha256: digest } });
    await put(bytes);
    clear();
    return accept();
  }

  it("is accepted when it fits the schema", async () => {
    serve({ type: "array" });
    expect((await upload("[1, 2]")).submission).toMatchObject({ state: "submitted", slot: "reserved" });
  });

  it.each([
    ["does not fit the schema", '"a text"', "value_schema", /./],
    ["is not JSON", "[1,", "value_not_json", "not valid JSON"],
    ["is not UTF-8", Buffer.from([0x22, 0xff, 0x22]), "value_not_json", "not UTF-8"],
  ])("fails the submission when it %s, and returns the slot", async (_, text, code, message) => {
    serve({ type: "array" });
    await expect(upload(text)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await domain.row()).toMatchObject({ state: "failed", error_code: code, data: null });
    expect(await domain.slot()).toMatchObject({ state: "returned", reason: code });
    expect(domain.seen.announced).toEqual([`sums ${id} 2 failed`]);
    expect(await keys()).toEqual([]);
    // Asked again, it says why.
    await expect(accept()).rejects.toMatchObject({ code });
  });

  it("fails with the problems that the check found", async () => {
    serve({}, { check: { schema: { type: "array", items: { type: "number" } } } });
    await expect(upload('[1, "two"]')).rejects.toMatchObject({ code: "check_failed" });
    const { data } = await domain.row();
    expect(JSON.parse(data!)).toEqual({ problems: [expect.anything()], total: 1 });
  });

  it("is not called wrong when it cannot be read", async () => {
    serve({ type: "array" });
    const away = new Error("the store is away");
    domain.services.objects.get = () => Promise.reject(away);
    await expect(upload("[1]")).rejects.toBe(away);
    expect(await domain.row()).toMatchObject({ state: "initiated" });
    expect(await keys()).toEqual([KEY]);
  });

  it("does not fail a submission that has just been cancelled", async () => {
    serve({ type: "array" });
    const { get } = domain.services.objects;
    domain.services.objects.get = async (...given) => {
      await domain.set({ state: "cancelled", error_code: "cancelled" });
      return get(...given);
    };
    await expect(upload('"a text"')).rejects.toMatchObject({ code: "value_schema" });
    expect(await domain.row()).toMatchObject({ state: "cancelled" });
    expect(domain.seen.announced).toEqual([]);
    expect(await keys()).toEqual([]);
  });

  it("stays where another broker, with another schema, has just accepted it", async () => {
    serve({ type: "array" });
    const { get } = domain.services.objects;
    domain.services.objects.get = async (...given) => {
      await domain.set({ state: "submitted", accepted_at: domain.at() });
      return get(...given);
    };
    await expect(upload('"a text"')).rejects.toMatchObject({ code: "value_schema" });
    expect(await domain.row()).toMatchObject({ state: "submitted" });
    expect(await keys()).toEqual([KEY]);
  });
});
