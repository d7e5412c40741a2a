import { describe, expect, it } from "vitest";
import { createApiKey, hashApiKey, isApiKey, mayBeApiKey } from "./api-key.ts";

describe("an API key", () => {
  it("has the prefix that secret scanners look for, and 49 base62 characters", () => {
    expect(createApiKey()).toMatch(/^crowdai_[0-9A-Za-z]{49}$/);
  });

  it("is different each time", () => {
    expect(new Set(Array.from({ length: 1000 }, createApiKey)).size).toBe(1000);
  });

  it("is recognized when it is complete", () => {
    for (let i = 0; i < 200; i++) expect(isApiKey(createApiKey())).toBe(true);
  });

  it("is rejected with any single character mistyped", () => {
    const key = createApiKey();
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === "x" ? "y" : "x";
      expect(isApiKey(key.slice(0, at) + other + key.slice(at + 1)), `character ${at}`).toBe(false);
    }
  });

  it("is rejected with two adjacent characters swapped", () => {
    const key = createApiKey();
    for (let at = 8; at < key.length - 1; at++) {
      const swapped = key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2);
      expect(isApiKey(swapped), `characters ${at} and ${at + 1}`).toBe(swapped === key);
    }
  });

  it.each([
    ["nothing", ""],
    ["the prefix alone", "crowdai_"],
    ["another prefix", createApiKey().replace("crowdai_", "crowdiA_")],
    ["one that was cut", createApiKey().slice(0, -1)],
    ["one with something behind it", `${createApiKey()}0`],
    ["one with a line break behind it", `${createApiKey()}\n`],
    ["one with a space before it", ` ${createApiKey()}`],
    ["one of ten kilobytes", `crowdai_${"a".repeat(10_000)}`],
  ])("is distinguished from %s", (_, key) => {
    expect(isApiKey(key)).toBe(false);
  });

  it("may be a key of the original webapp, of which only the form can be checked", () => {
    const given = "0123456789abcdef0123456789abcdef";
    expect(mayBeApiKey(given)).toBe(true);
    expect(mayBeApiKey(createApiKey())).toBe(true);
    for (const key of [given.slice(1), `${given}0`, given.toUpperCase(), `${given}\n`, "crowdai_", ""])
      expect(mayBeApiKey(key), key).toBe(false);
    expect(mayBeApiKey(createApiKey().slice(0, -1))).toBe(false);
  });

  it("is stored as its SHA-256", () => {
    expect(hashApiKey("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});
