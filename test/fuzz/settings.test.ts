import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { challengeConfigSchema, loadChallengeFolder } from "@crowdai/shared/challenge-folder";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { readPeopleFile } from "../../broker/src/domain/participants/people-file.ts";
import { hostileValue, type Schema } from "../../broker/test/hostile-requests/hostile-values.ts";
import { createRandom } from "../../broker/test/hostile-requests/random.ts";
import { broken, holds, jsonText, text } from "./runs.ts";

/** Each input is a file that is written and read. */
const SHARE = 0.05;

const VALID = {
  id: "test",
  title: "A test",
  score: { title: "Score", order: "descending" },
  evaluator: { command: ["python3", "evaluate.py"] },
  accepts: { file: { extensions: [".csv"], max_bytes: 1000 } },
  rounds: [{ id: "1", starts: "2026-01-01T00:00:00Z", limit: { max: 5, window: "day" } }],
  webhooks: [{ url: "https://example.com/hook", events: ["submission.graded"] }],
  columns: [{ key: "a", title: "A" }],
};

describe("challenge.json", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-fuzz-"));
    await mkdir(join(folder, "test"));
    await writeFile(join(folder, "test/evaluate.py"), "");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function load(content: string | Uint8Array): Promise<void> {
    await writeFile(join(folder, "test/challenge.json"), content);
    const error = await loadChallengeFolder(join(folder, "test")).then(
      () => null,
      (caught) => caught,
    );
    if (error === null) return;
    expect(error).toBeInstanceOf(CrowdaiError);
    expect(error.code).toBe("config_invalid");
  }

  it("whose bytes are broken is read, or refused with its problems", () =>
    holds(
      fc.asyncProperty(
        broken(fc.oneof(fc.constant(JSON.stringify(VALID)), jsonText()).map((json) => Buffer.from(json))),
        load,
      ),
      SHARE,
    ));

  it("with any value in place of another is read, or refused with its problems", () => {
    const schema = z.toJSONSchema(challengeConfigSchema, { io: "input", unrepresentable: "any" }) as Schema;
    const fields = fc.dictionary(
      fc.constantFrom(...Object.keys(challengeConfigSchema.shape)),
      fc.oneof(fc.jsonValue({ maxDepth: 3, stringUnit: "binary" }), fc.constantFrom(...Object.values(VALID))),
      { noNullPrototype: true },
    );
    return holds(
      fc.asyncProperty(fields, fc.nat(), fc.boolean(), async (given, seed, isOwnForm) => {
        const other = isOwnForm
          ? (hostileValue(schema, createRandom(seed), ["test", "evaluate.py"]) as object)
          : given;
        await load(JSON.stringify({ ...VALID, ...other }));
      }),
      SHARE,
    );
  });
});

describe("people.csv", () => {
  const cell = fc.oneof(
    text(),
    fc.constantFrom("", "ada", "Ada", '"', '"a""b"', "a b", "=1+1", "\u0000", "test"),
  );
  const file = fc
    .tuple(
      fc.constantFrom(
        "name",
        "name,label,member,challenges",
        "name;label",
        "name\tmember",
        "\ufeffname",
        "label",
        "",
      ),
      fc.constantFrom("\n", "\r\n", "\r"),
      fc.array(fc.array(cell, { maxLength: 5 }), { maxLength: 6 }),
    )
    .map(([head, end, rows]) => {
      const separator = /[;\t]/.exec(head)?.[0] ?? ",";
      return Buffer.from([head, ...rows.map((row) => row.join(separator))].join(end));
    });

  it("is read, or refused with the numbers of its lines", () =>
    holds(
      fc.property(fc.oneof(file, broken(file)), (bytes) => {
        try {
          for (const { name } of readPeopleFile(bytes).rows) expect(name).not.toBe("");
        } catch (error) {
          expect(error).toBeInstanceOf(CrowdaiError);
        }
      }),
    ));
});
