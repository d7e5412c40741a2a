import { CrowdaiError } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { asBrokerError, logMachineError, machineErrorOfGit } from "./machine-error.ts";

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
    expect(machineErrorOfGit("fatal: write error: No space left on device\n")).toMatchObject({
      code: "storage_failed",
      message: "The broker's disk is full.",
    });
    expect(machineErrorOfGit("fatal: pack has bad object at offset 12\n")).toBeNull();
  });
});

describe("a lack of descriptors, memory or processes", () => {
  it.each([
    ["the system", { code: "EMFILE" }, "The broker has no file descriptors left."],
    ["the system", { code: "ENFILE" }, "The broker's machine has no file descriptors left."],
    ["the system", { code: "ENOMEM" }, "The broker's machine has no memory left."],
    [
      "the system",
      { code: "EAGAIN", syscall: "spawn git" },
      "The broker's machine starts no more processes.",
    ],
    ["SQLite", { code: "ERR_SQLITE_ERROR", errcode: 7 }, "The broker's machine has no memory left."],
    ["SQLite", { code: "ERR_SQLITE_ERROR", errcode: 14 }, "The broker cannot open its database."],
    ["PostgreSQL", { code: "53200" }, "The database server has no memory left."],
  ])("is reported by %s: %o", (_, fields, message) => {
    const thrown = Object.assign(new Error("at /a/path"), fields);
    for (const error of [thrown, new CrowdaiError("unexpected", "", { cause: thrown })])
      expect(asBrokerError(error)).toMatchObject({
        code: "broker_busy",
        message,
        retryable: true,
        row: { http: 503 },
      });
  });

  it("is reported by the runtime for a buffer that it cannot allocate", () => {
    expect(asBrokerError(new RangeError("Array buffer allocation failed"))).toMatchObject({
      code: "broker_busy",
    });
    expect(asBrokerError(new RangeError("Invalid array length"))).toMatchObject({ code: "unexpected" });
  });

  it("is reported by git, but not when git reaches the limit of memory that pushed code can reach", () => {
    expect(machineErrorOfGit("error: cannot fork(): Resource temporarily unavailable\n")).toMatchObject({
      code: "broker_busy",
    });
    expect(machineErrorOfGit("fatal: Out of memory, malloc failed (tried to allocate 9 bytes)\n")).toBeNull();
  });

  it("is logged, unlike a broker that is busy with requests", () => {
    const events: object[] = [];
    const log = { error: (fields: object) => void events.push(fields) };
    logMachineError(log, asBrokerError(Object.assign(new Error(), { code: "EMFILE" })), { path: "/" });
    logMachineError(log, new CrowdaiError("broker_busy"));
    expect(events).toEqual([expect.objectContaining({ event: "resources_exhausted", path: "/" })]);
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
