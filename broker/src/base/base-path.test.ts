import { describe, expect, it } from "vitest";
import { basePathOf, withBasePath, withoutBasePath } from "./base-path.ts";

describe("the base path", () => {
  it("is the path of the public address, without its last slash", () => {
    expect(basePathOf("https://host")).toBe("");
    expect(basePathOf("https://host/")).toBe("");
    expect(basePathOf("https://host/a/crowdai/")).toBe("/a/crowdai");
  });

  it("is removed from a request where it is whole", () => {
    for (const [given, own] of [
      ["/crowdai", "/"],
      ["/crowdai?x=1", "/?x=1"],
      ["/crowdai/", "/"],
      ["/crowdai/submissions?page=2", "/submissions?page=2"],
      ["/submissions", "/submissions"],
      ["/crowdainess", "/crowdainess"],
      ["/x/crowdai/", "/x/crowdai/"],
    ] as const)
      expect(withoutBasePath(given, "/crowdai"), given).toBe(own);
    expect(withoutBasePath("/submissions", "")).toBe("/submissions");
  });

  it("is added to a path once", () => {
    expect(withBasePath("/", "/crowdai")).toBe("/crowdai/");
    expect(withBasePath("/submissions?page=2", "/crowdai")).toBe("/crowdai/submissions?page=2");
    expect(withBasePath("/crowdai/submissions", "/crowdai")).toBe("/crowdai/submissions");
    expect(withBasePath("/submissions", "")).toBe("/submissions");
  });

  it("that is a path of the broker's own is left to the proxy", () => {
    expect(withoutBasePath("/challenges/iris", "/challenges")).toBe("/challenges/iris");
    expect(withBasePath("/challenges/iris", "/challenges")).toBe("/challenges/challenges/iris");
  });
});
