import { createHash, randomBytes } from "node:crypto";
import { createSubmissionId, type IntentRequest, type Receipt } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { untilEnd } from "../support/test-broker.ts";
import { MEDIA_TIMEOUT, type Stage, startStage } from "./media-broker.ts";

const MEBIBYTE = 1024 * 1024;
const hex = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest("hex");

describe("models of a submission", MEDIA_TIMEOUT, () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await startStage();
  });
  afterEach(() => stage.close());

  const announce = (name: string, bytes: Buffer, partSize?: number) => {
    const md5: string[] = [];
    for (let at = 0; partSize && at < bytes.length; at += partSize)
      md5.push(hex("md5", bytes.subarray(at, at + partSize)));
    const parts = partSize ? { parts: { size: partSize, md5 } } : {};
    return { name, size: bytes.length, sha256: hex("sha256", bytes), ...parts };
  };
  const input = { kind: "inline" as const, data: { score: 1 } };
  const register = (intent: Partial<IntentRequest>) => stage.client.submit({ input, ...intent });
  const complete = (id: string) => stage.client.ask<Receipt>("complete", { id });
  async function send(upload: Receipt["models"][number]["upload"], bytes: Buffer): Promise<void> {
    for (const { url, offset, size, headers } of upload?.parts ?? [])
      expect(
        (await fetch(url, { method: "PUT", headers, body: bytes.subarray(offset, offset + size) })).ok,
      ).toBe(true);
  }

  it("are each uploaded separately and verified before the submission is accepted", async () => {
    const [small, large] = [randomBytes(1000), randomBytes(11 * MEBIBYTE)];
    const models = [announce("small.onnx", small), announce("large.onnx", large, 5 * MEBIBYTE)];
    const { submission, upload, models: places } = await register({ models });
    expect(submission).toMatchObject({ state: "initiated", artifacts: [] });
    expect(upload).toBeNull();
    expect(places.map(({ name, upload }) => [name, upload?.parts.length])).toEqual([
      ["small.onnx", 1],
      ["large.onnx", 3],
    ]);
    await send(places[0]!.upload, small);
    await expect(complete(submission.id)).rejects.toMatchObject({ code: "upload_missing" });
    // When a restarted client asks again, only missing models have an address.
    const again = await register({ id: submission.id, models });
    expect(again.models[0]?.upload).toBeNull();
    await send(again.models[1]!.upload, large);
    const accepted = await complete(submission.id);
    expect(accepted.models).toEqual([
      { name: "small.onnx", upload: null },
      { name: "large.onnx", upload: null },
    ]);
    await untilEnd(stage.client, submission.id);
    const graded = await stage.read(submission.id);
    expect(graded).toMatchObject({ state: "graded", score: 1 });
    expect(graded.artifacts).toMatchObject([
      { kind: "model", name: "small.onnx", size: 1000, sha256: models[0]!.sha256 },
      { kind: "model", name: "large.onnx", size: large.length, sha256: models[1]!.sha256 },
    ]);
    const url = graded.artifacts[1]!.url!;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${stage.key}` } });
    expect(answer.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''large.onnx");
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    expect(Buffer.from(await answer.arrayBuffer()).equals(large)).toBe(true);
  });

  it("may accompany a file", async () => {
    const [file, model] = [Buffer.from("0.5"), randomBytes(100)];
    const { submission, upload, models } = await register({
      input: { kind: "file", ...announce("a.txt", file) },
      models: [announce("m", model)],
    });
    await send(upload, file);
    await send(models[0]!.upload, model);
    expect((await complete(submission.id)).submission.state).toBe("submitted");
  });

  it("must be the same when an id is sent again", async () => {
    const id = createSubmissionId();
    const models = [announce("m", Buffer.from("one"))];
    await register({ id, models });
    expect((await register({ id, models })).submission.id).toBe(id);
    for (const other of [[], [announce("m", Buffer.from("two"))], [announce("n", Buffer.from("one"))]])
      await expect(register({ id, models: other })).rejects.toMatchObject({ code: "id_conflict" });
    const plain = createSubmissionId();
    await register({ id: plain });
    await expect(register({ id: plain, models })).rejects.toMatchObject({ code: "id_conflict" });
  });

  it("with other bytes than announced are refused and can be sent again", async () => {
    const bytes = Buffer.from("weights");
    const { submission, models } = await register({ models: [announce("m", bytes)] });
    const { url, headers } = models[0]!.upload!.parts[0]!;
    const other = await fetch(url, { method: "PUT", headers, body: "heights" });
    expect(other.ok).toBe(false);
    await send(models[0]!.upload, bytes);
    expect((await complete(submission.id)).submission.state).toBe("submitted");
  });

  it.each([
    [
      "too large",
      {},
      [{ name: "m", size: 3 * 1024 ** 3, sha256: "0".repeat(64) }],
      "accepts at most 2147483648",
    ],
    [
      "twice of one name",
      {},
      [announce("m", Buffer.from("1")), announce("m", Buffer.from("2"))],
      "Two models are named",
    ],
    ["named as a path", {}, [announce("../m", Buffer.from("1"))], "is not a valid model name"],
    [
      "named with a control character",
      {},
      [announce("m\u001b[2J", Buffer.from("1"))],
      "is not a valid model name",
    ],
    ["beside a call", { function: "evaluate" }, [announce("m", Buffer.from("1"))], "with submissions only"],
    ["beside a dry run", { dry_run: true }, [announce("m", Buffer.from("1"))], "with submissions only"],
  ])("that are %s are refused before any byte is received", async (_, intent, models, message) => {
    await expect(register({ ...intent, models })).rejects.toMatchObject({
      code: "model_refused",
      message: expect.stringContaining(message),
    });
    expect(await stage.records.db.selectFrom("submissions").selectAll().execute()).toEqual([]);
  });

  it("are removed with a submission that is cancelled before their upload", async () => {
    const bytes = Buffer.from("weights");
    const { submission, models } = await register({ models: [announce("m", bytes)] });
    await send(models[0]!.upload, bytes);
    await stage.client.ask("cancel", { id: submission.id });
    await expect(complete(submission.id)).rejects.toMatchObject({ code: "cancelled" });
    const signed = models[0]!.upload!.parts[0]!.url;
    expect((await fetch(signed, { method: "PUT", body: "weights" })).status).toBe(201);
  });

  it("and artifacts can be read only by their owner", async () => {
    const graded = await stage.submit({
      artifacts: [
        { name: "report.html", text: "<script>" },
        { name: "../b", text: "b" },
      ],
    });
    expect(graded.artifacts).toMatchObject([
      { kind: "artifact", name: "report.html", size: 8, sha256: hex("sha256", Buffer.from("<script>")) },
      { kind: "artifact", name: "../b" },
    ]);
    const url = graded.artifacts[0]!.url!;
    const as = (key?: string) => fetch(url, key ? { headers: { authorization: `Bearer ${key}` } } : {});
    expect((await as()).status).toBe(404);
    expect((await as(await stage.addParticipant("bob"))).status).toBe(404);
    const own = await as(stage.key);
    expect(await own.text()).toBe("<script>");
    expect(own.headers.get("content-type")).toBe("application/octet-stream");
    expect(own.headers.get("content-disposition")).toContain("attachment");
    expect(own.headers.get("x-content-type-options")).toBe("nosniff");
    const last = await fetch(url.replace(/1$/, "9"), { headers: { authorization: `Bearer ${stage.key}` } });
    expect(last.status).toBe(404);
  });
});
