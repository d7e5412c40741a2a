import { CrowdaiError } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { asBrokerError, storageErrorOfGit } from "./storage-error.ts";

describe("a failed disk", () => {
  it.each([
    ["the system", { code: "ENOSPC" }, "is full"],
    ["the system", { code: "EROFS" }, "is read-only"],
    ["SQLite", { code: "ERR_SQLITE_ERROR", errcode: 13 }, "is full"],
    [
      "SQLite, with an extended code",
      { code: "ERR_SQLITE_ERROR", errcode: 778 },
      "reports input/output errors",
    ],
    ["SQLite, of its file", { code: "ERR_SQLITE_ERROR", errcode: 11 }, "has a damaged database"],
    ["PostgreSQL", { code: "53100" }, "is full"],
  ])("is reported by %s: %o", (_, fields, failure) => {
    const thrown = Object.assign(new Error("at /a/path"), fields);
    for (const error of [
      thrown,
      new Error("wrapped", { cause: thrown }),
      new CrowdaiError("unexpected", "", { cause: thrown }),
    ])
      expect(asBrokerError(error)).toMatchObject({
        code: "storage_failed",
        message: `The broker's disk ${failure}.`,
        retryable: true,
        row: { http: 503 },
      });
  });

  it("is reported by git, whose message would otherwise blame the participant's code", () => {
    expect(storageErrorOfGit("fatal: write error: No space left on device\n")).toMatchObject({
      code: "storage_failed",
      message: "The broker's disk is full.",
    });
    expect(storageErrorOfGit("fatal: pack has bad object at offset 12\n")).toBeNull();
  });
});

it("other errors stay what they are", () => {
  expect(asBrokerError(new Error("?"))).toMatchObject({ code: "unexpected" });
  expect(asBrokerError(Object.assign(new Error("?"), { code: "ENOENT" }))).toMatchObject({
    code: "unexpected",
  });
  const known = new CrowdaiError("store_unreachable", "", {
    cause: Object.assign(new Error(), { code: "ENOSPC" }),
  });
  expect(asBrokerError(known)).toBe(known);
});
