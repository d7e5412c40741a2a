import { describe, expect, it } from "vitest";
import { z } from "zod";
import { declareTypes } from "./schema-types.ts";

describe("declareTypes", () => {
  it("writes an interface with the descriptions as doc comments", () => {
    const point = z.object({
      x: z.number().describe("Metres east."),
      label: z.string().nullable(),
      y: z.int().optional(),
    });
    expect(declareTypes({ Point: point })).toBe(
      "export interface Point {\n  /** Metres east. */\n  x: number;\n  label: string | null;\n  y?: number;\n}\n",
    );
  });

  it("refers by name to a schema that is part of another", () => {
    const row = z.object({ rank: z.int() });
    const board = z.object({ rows: z.array(row), first: row.nullable() });
    expect(declareTypes({ Board: board, Row: row })).toContain("rows: Row[];\n  first: Row | null;");
  });

  it("writes unions, records, literals and lists of unions", () => {
    const mix = z.object({
      state: z.enum(["open", "ended"]),
      kind: z.literal("PUT"),
      extra: z.record(z.string(), z.unknown()),
      either: z.array(z.union([z.string(), z.boolean()])),
      anything: z.unknown(),
    });
    const text = declareTypes({ Mix: mix });
    for (const line of [
      'state: "open" | "ended";',
      'kind: "PUT";',
      "extra: Record<string, unknown>;",
      "either: (string | boolean)[];",
      "anything: unknown;",
    ])
      expect(text).toContain(`  ${line}\n`);
  });
});
