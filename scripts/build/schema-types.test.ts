import { describe, expect, it } from "vitest";
import { z } from "zod";
import { declareTypes } from "./schema-types.ts";

describe("the types of schemas", () => {
  it("carry the descriptions as doc comments", async () => {
    const point = z.object({
      x: z.number().describe("Meters east."),
      label: z.string().nullable(),
      note: z.unknown().describe("Anything."),
      y: z.int().optional(),
    });
    const text = (await declareTypes({ Point: point })).replace(/\s+/g, " ");
    expect(text).toContain(
      "export interface Point { /** * Meters east. */ x: number label: (string | null) /** * Anything. */ note: unknown y?: number }",
    );
    expect(text).not.toContain("referenced by");
  });

  it("refer by name to a schema that is part of another", async () => {
    const row = z.object({ rank: z.int() });
    const board = z.object({ rows: z.array(row), first: row.nullable() });
    expect(await declareTypes({ Board: board, Row: row })).toContain("rows: Row[]\nfirst: (Row | null)\n");
  });
});
