import { expect, it } from "vitest";
import type { SubmissionRow } from "../records/tables.ts";
import { isPublic } from "./published.ts";

it("what is kept with a submission is public once it has been published, and not before", () => {
  const row = {} as SubmissionRow;
  expect(isPublic(row)).toBe(false);
  expect(isPublic({ ...row, published_at: null } as SubmissionRow)).toBe(false);
  expect(isPublic({ ...row, published_at: "2026-11-25T12:00:00.000Z" } as SubmissionRow)).toBe(true);
});
