import { expect, it } from "vitest";
import { isPublic } from "./is-public.ts";

it("files of a submission are public once it has been published, and not before", () => {
  expect(isPublic({ published_at: null })).toBe(false);
  expect(isPublic({ published_at: "2026-11-25T12:00:00.000Z" })).toBe(true);
});
