import { createHash } from "node:crypto";
import type { Upload } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Domain, INTENT, openDomain, sha256 } from "../../../test/support/domain.ts";
import { forgetModelParts } from "./models.ts";

const { id } = INTENT;
const MEBIBYTE = 1024 * 1024;
let domain: Domain;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve({ accepts: { json: {}, file: { extensions: [] }, model: {} } });
});
afterEach(() => domain.close());

const file = { kind: "file" as const, name: "a.csv", size: 3, sha256: sha256("abc") };
const model = (name: string, more: object = {}) => ({ name, size: 1, sha256: sha256(name), ...more });

/** Replaces the store's plans by as many parts of one byte as each object's key asks for. */
function plan(wanted: Record<string, number>, missing?: Upload["missing"]) {
  const asked: [string, boolean | undefined][] = [];
  domain.services.objects.planUpload = async (key, _, { isNew } = {}) => {
    const name = key.slice(`submissions/sums/${id}/`.length);
    asked.push([name, isNew]);
    const part = { offset: 0, size: 2, url: "http://store", method: "PUT" as const, headers: {} };
    const parts = Array.from({ length: wanted[name]! }, (_, index) => ({ ...part, number: index + 1 }));
    return { parts, expires_at: "", ...(missing && { missing }) };
  };
  return asked;
}
const addresses = ({ upload, models }: Awaited<ReturnType<Domain["submit"]>>) => [
  upload?.parts.length,
  ...models.map((each) => each.upload?.parts.length),
];

describe("a receipt", () => {
  it("cuts a model into the parts that were announced, in every receipt", async () => {
    const md5 = ["one", "two"].map((text) => createHash("md5").update(text).digest("hex"));
    const parts = { size: 5 * MEBIBYTE, md5 };
    const models = [model("one", { size: 6 * MEBIBYTE, parts }), model("two")];
    for (let time = 1; time <= 2; time++)
      expect(
        (await domain.submit({ models })).models.map(({ upload }) => upload!.parts.map(({ size }) => size)),
      ).toEqual([[5 * MEBIBYTE, MEBIBYTE], [1]]);
    const rows = await domain.db.selectFrom("models").select(["position", "key"]).execute();
    expect(rows).toEqual(
      [1, 2].map((position) => ({ position, key: `submissions/sums/${id}/models/${position}` })),
    );
  });

  it("is for parts of models until they are forgotten", async () => {
    const parts = { size: 5 * MEBIBYTE, md5: [createHash("md5").update("one").digest("hex")] };
    for (const name of [id, "submission-2"])
      await domain.submit({ id: name, models: [model("one", { parts })] });
    await forgetModelParts(domain.db, await domain.row());
    const rows = await domain.db.selectFrom("models").select(["submission", "part_size", "md5"]).execute();
    expect(rows).toEqual([
      { submission: id, part_size: null, md5: null },
      { submission: "submission-2", part_size: parts.size, md5: JSON.stringify(parts.md5) },
    ]);
  });

  it("has at most 256 addresses, and counts what is missing", async () => {
    plan({ input: 200, "models/1": 100, "models/2": 3, "models/3": 0 });
    const models = ["one", "two", "three"].map((name) => model(name));
    const receipt = await domain.submit({ input: file, models });
    expect(addresses(receipt)).toEqual([200, 56, 0, undefined]);
    expect(receipt.models.map(({ upload }) => upload?.missing)).toEqual([
      { parts: 100, bytes: 200 },
      { parts: 3, bytes: 6 },
      undefined,
    ]);
  });

  it("leaves the counting to a store that counts, and gives models what the input leaves", async () => {
    plan({ "models/1": 300, "models/2": 1 }, { parts: 1000, bytes: 5 });
    const receipt = await domain.submit({ models: [model("one"), model("two")] });
    expect(addresses(receipt)).toEqual([undefined, 256, 0]);
    expect(receipt.models[0]!.upload!.missing).toEqual({ parts: 1000, bytes: 5 });
  });

  it("of a new submission spares the store the question whether it has the bytes", async () => {
    const asked = plan({ input: 1, "models/1": 1 });
    const intent = { input: file, models: [model("one")] };
    await domain.submit(intent);
    await domain.submit(intent);
    expect(asked).toEqual([
      ...[
        ["input", true],
        ["models/1", true],
      ],
      ...[
        ["input", false],
        ["models/1", false],
      ],
    ]);
  });

  it("of a submission that waits no more has no addresses", async () => {
    const asked = plan({ input: 1, "models/1": 1 });
    const intent = { input: file, models: [model("one")] };
    await domain.submit(intent);
    asked.length = 0;
    await domain.set({ state: "submitted" });
    expect(await domain.submit(intent)).toMatchObject({
      ...{ upload: null, models: [{ name: "one", upload: null }] },
    });
    expect(asked).toEqual([]);
  });
});
