import { describe, expect, it } from "vitest";
import {
  codeAnnouncementSchema,
  intentInputSchema,
  intentSchema,
  modelAnnouncementSchema,
} from "./intent.ts";
import { MAX_MODELS } from "./message-limits.ts";

const DIGEST = "0123456789abcdef".repeat(4);
const COMMIT = DIGEST.slice(0, 40);
const file = { kind: "file", name: "p.csv", size: 1, sha256: DIGEST };
const code = { commit: COMMIT, tree: DIGEST, files: 2, bytes: 2 };
const model = { name: "m.bin", size: 2, sha256: DIGEST };
const intent = { id: "abcdefgh", challenge: "test", input: { kind: "inline", data: 1 } };

const accepted: [string, { safeParse(value: unknown): { success: boolean } }, unknown][] = [
  ["a file without a name", intentInputSchema, { ...file, name: null }],
  ["a file with a long name", intentInputSchema, { ...file, name: "x".repeat(255) }],
  ["code without a command", intentInputSchema, { kind: "code" }],
  ["code with a command", intentInputSchema, { kind: "code", command: ["a", "x".repeat(4096)] }],
  ["code with a long command", intentInputSchema, { kind: "code", command: Array(256).fill("a") }],
  ["a snapshot", codeAnnouncementSchema, code],
  ["an empty snapshot", codeAnnouncementSchema, { ...code, files: 0, bytes: 0 }],
  ["a model", modelAnnouncementSchema, model],
  ["a model with a long name", modelAnnouncementSchema, { ...model, name: "x".repeat(255) }],
  ["a long message", intentSchema, { ...intent, message: "x".repeat(10_000) }],
  [
    "a long round and function",
    intentSchema,
    { ...intent, round: "x".repeat(100), function: "x".repeat(100) },
  ],
  ["a time with a time zone", intentSchema, { ...intent, sealed_at: "2026-01-01T00:00:00+02:00" }],
  ["as many models as there may be", intentSchema, { ...intent, models: Array(MAX_MODELS).fill(model) }],
];

const refused: typeof accepted = [
  ["a digest that is longer", intentInputSchema, { ...file, sha256: `${DIGEST}0` }],
  ["a digest after something else", intentInputSchema, { ...file, sha256: `x${DIGEST}` }],
  ["a digest in upper case", intentInputSchema, { ...file, sha256: DIGEST.toUpperCase() }],
  ["an empty file", intentInputSchema, { ...file, size: 0 }],
  ["an empty name", intentInputSchema, { ...file, name: "" }],
  ["a longer name", intentInputSchema, { ...file, name: "x".repeat(256) }],
  ["an empty command", intentInputSchema, { kind: "code", command: [] }],
  ["an empty argument", intentInputSchema, { kind: "code", command: [""] }],
  ["a longer argument", intentInputSchema, { kind: "code", command: ["x".repeat(4097)] }],
  ["a longer command", intentInputSchema, { kind: "code", command: Array(257).fill("a") }],
  ["an unknown kind", intentInputSchema, { kind: "dream" }],
  ["an object name that is longer", codeAnnouncementSchema, { ...code, commit: `${COMMIT}0` }],
  ["an object name that is shorter", codeAnnouncementSchema, { ...code, commit: COMMIT.slice(1) }],
  ["an object name of one digit", codeAnnouncementSchema, { ...code, commit: "0" }],
  ["an object name after something else", codeAnnouncementSchema, { ...code, tree: `x${COMMIT}` }],
  ["other letters in an object name", codeAnnouncementSchema, { ...code, commit: "x".repeat(40) }],
  ["fewer than no files", codeAnnouncementSchema, { ...code, files: -1 }],
  ["fewer than no bytes", codeAnnouncementSchema, { ...code, bytes: -1 }],
  ["a snapshot without anything", codeAnnouncementSchema, {}],
  ["a model without anything", modelAnnouncementSchema, {}],
  ["a model without a name", modelAnnouncementSchema, { ...model, name: "" }],
  ["an empty model", modelAnnouncementSchema, { ...model, size: 0 }],
  ["a model with a longer name", modelAnnouncementSchema, { ...model, name: "x".repeat(256) }],
  ["nothing", intentSchema, {}],
  ["an id that is too short", intentSchema, { ...intent, id: "abcdefg" }],
  ["a longer message", intentSchema, { ...intent, message: "x".repeat(10_001) }],
  ["a longer round", intentSchema, { ...intent, round: "x".repeat(101) }],
  ["a longer function", intentSchema, { ...intent, function: "x".repeat(101) }],
  ["a time without a time zone", intentSchema, { ...intent, sealed_at: "2026-01-01T00:00:00" }],
  ["more models", intentSchema, { ...intent, models: Array(MAX_MODELS + 1).fill(model) }],
];

describe("an intent", () => {
  it.each(accepted)("may have %s", (_, schema, value) => {
    expect(schema.safeParse(value)).toMatchObject({ success: true });
  });

  it.each(refused)("is refused with %s", (_, schema, value) => {
    expect(schema.safeParse(value)).toMatchObject({ success: false });
  });

  it("is for `submit`, counts, keeps its code private, and has nothing besides, unless it says so", () => {
    expect(intentSchema.parse(intent)).toEqual({
      ...intent,
      ...{ round: null, message: null, function: "submit", dry_run: false, code: null },
      ...{ publish: false, sealed_at: null, models: [] },
    });
    expect(intentInputSchema.parse({ kind: "code" })).toEqual({ kind: "code", command: null });
  });

  it("names the digests of parts that do not cover the file", () => {
    const md5 = [DIGEST.slice(0, 32), DIGEST.slice(0, 32)];
    const wrong = intentInputSchema.safeParse({ ...file, parts: { size: 8 * 1024 * 1024, md5 } });
    expect(wrong.error?.issues).toMatchObject([
      { path: ["parts", "md5"], message: "one digest for each part of the file" },
    ]);
    for (const digest of [`x${md5[0]}`, `${md5[0]}0`]) {
      const parts = { size: 8 * 1024 * 1024, md5: [digest] };
      expect(intentInputSchema.safeParse({ ...file, parts }).success).toBe(false);
    }
  });
});
