import { expect, it } from "vitest";
import { openKey, sealKey } from "./sealed-key.ts";

it("a sealed key opens only under its token, and is encrypted differently each time", () => {
  const sealed = sealKey("token", "the key");
  expect(openKey("token", sealed)).toBe("the key");
  expect(sealKey("token", "the key")).not.toBe(sealed);
  expect(sealed).not.toContain("the key");
  const changed = `${sealed.startsWith("A") ? "B" : "A"}${sealed.slice(1)}`;
  for (const other of [sealed.slice(0, -2), changed, ""]) expect(openKey("token", other)).toBeNull();
  expect(openKey("another", sealed)).toBeNull();
});
