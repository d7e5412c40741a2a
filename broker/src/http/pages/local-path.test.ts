import { describe, expect, it } from "vitest";
import { localPath } from "./local-path.ts";

describe("localPath", () => {
  it.each(["/", "/submissions", "/challenges/iris?board=previous#rank", "/a/../b"])("accepts %s", (path) => {
    expect(localPath(path)).toBe(path === "/a/../b" ? "/b" : path);
  });

  it.each([
    "//evil.com",
    "/\\evil.com",
    "/.//evil.com",
    "/x/..//evil.com",
    "/%2e//evil.com",
    "/%2E%2e//evil.com",
    "/./\\evil.com",
    "/.//evil.com/..",
    "https://evil.com",
    "evil.com",
    "/\tevil",
    "",
    undefined,
  ])("answers / instead of %s", (value) => {
    const path = localPath(value);
    expect(new URL(path, "https://broker.example").host).toBe("broker.example");
    expect(path).toBe("/");
  });
});
