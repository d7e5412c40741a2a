import { intentSchema, MAX_INLINE_BYTES } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { ADA, INTENT, sha256 } from "../../../test/support/domain.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { describeInput, requireSame } from "./described-input.ts";

type Announced = Parameters<typeof describeInput>[0];
const inline = (data: unknown): Announced => ({ input: { kind: "inline", data }, code: null });
const file = (more: object = {}): Announced => ({
  input: { kind: "file", name: "a.csv", size: 7, sha256: sha256('{"a":1}'), ...more },
  code: null,
});

describe("an input is described", () => {
  it("by the size and the digest of its JSON text, when it came with the message", () => {
    expect(describeInput(inline({ a: "ü" }))).toEqual({
      ...{ input_kind: "json", input_name: null, input_size: 10, input_data: '{"a":"ü"}' },
      input_sha256: sha256('{"a":"ü"}'),
    });
  });

  it("by what was announced, when it is uploaded", () => {
    const described = { input_name: "a.csv", input_size: 7, input_sha256: sha256('{"a":1}') };
    expect(describeInput(file())).toEqual({ ...described, input_kind: "file", input_data: null });
  });

  it("by the tree of its code and the command", () => {
    const code = { commit: "1".repeat(40), tree: "2".repeat(40), files: 3, bytes: 10 };
    expect(describeInput({ input: { kind: "code", command: ["run"] }, code })).toEqual({
      ...{ input_kind: "code", input_name: null, input_size: 10, input_data: '["run"]' },
      input_sha256: sha256("2".repeat(40)),
    });
    expect(describeInput({ input: { kind: "code", command: null }, code: null })).toMatchObject({
      ...{ input_size: 0, input_data: "null", input_sha256: sha256("") },
    });
  });

  it("only up to the size that fits into a message", () => {
    const text = "x".repeat(MAX_INLINE_BYTES - 2);
    expect(describeInput(inline(text)).input_size).toBe(MAX_INLINE_BYTES);
    expect(() => describeInput(inline(`${text}x`))).toThrow(`this one has ${MAX_INLINE_BYTES + 1}`);
  });

  it("only with a name that reads as it is written", () => {
    expect(describeInput(file({ kind: "json", name: null })).input_name).toBeNull();
    expect(() => describeInput(file({ name: "a\n.csv" }))).toThrow("is not accepted");
    try {
      describeInput(file({ name: "a\u202e.csv" }));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "usage", next: "Rename the file." });
    }
  });
});

describe("a submission that is sent again", () => {
  const intent = intentSchema.parse(INTENT);
  const row = {
    ...{ id: intent.id, participant_id: 1, challenge: "sums", function: "submit", dry_run: 0 },
    ...describeInput(inline({ a: 1 })),
  } as SubmissionRow;
  const again = (input: Announced, known = row) => requireSame(ADA, intent, describeInput(input), known);

  it("is the same, whichever way its value comes", () => {
    again(inline({ a: 1 }));
    again(file({ kind: "json", name: null }));
  });

  it("is another one as a file, or with another size or digest", () => {
    expect(() => again(file())).toThrow("already used");
    expect(() => again(file({ kind: "json", size: 8 }))).toThrow("already used");
    expect(() => again(inline({ a: 2 }))).toThrow("already used");
    expect(() => again(inline({ a: 1 }), { ...row, participant_id: 2 })).toThrow("already used");
  });
});
