import { describe, expect, it } from "vitest";
import { createSubmissionId, SUBMISSION_ID } from "./submission-id.ts";

describe("a submission id", () => {
  it("has 16 characters that are hard to confuse", () => {
    for (let i = 0; i < 200; i++) expect(createSubmissionId()).toMatch(/^[0-9a-hjkmnp-tv-z]{16}$/);
  });

  it("is accepted by the broker, and different each time", () => {
    const ids = Array.from({ length: 1000 }, createSubmissionId);
    expect(ids.every((id) => SUBMISSION_ID.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(1000);
  });

  it("may be chosen by the client, for example a UUID", () => {
    expect(SUBMISSION_ID.test("0190b3c4-7f2a-7c3e-9d1b-2a6f5e8c4d10")).toBe(true);
  });

  it.each([
    "",
    "short",
    "-rf-dashed",
    "_underline",
    "../../../etc",
    "with space",
    "line\nbreak1",
    "trailing-break\n",
    "ümläute-id",
    "a".repeat(65),
  ])("is not %j", (id) => {
    expect(SUBMISSION_ID.test(id)).toBe(false);
  });
});
