import { describe, expect, it } from "vitest";
import { asCrowdaiError, type CatalogRow, CrowdaiError, catalog, type ErrorCode } from "./errors.ts";

const rows = Object.entries<CatalogRow>(catalog);
/** The exit codes of the command line, without 0 (success). */
const EXIT_CODES = [1, 2, 3, 4, 5, 6, 7, 8, 130];

describe("the catalog of errors", () => {
  it.each(rows)("has a complete row for %s", (code, row) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(["you", "challenge", "platform"]).toContain(row.fault);
    expect(EXIT_CODES).toContain(row.exit);
    expect(row.http).toBeGreaterThanOrEqual(200);
    expect(row.http).toBeLessThan(600);
    expect(row.title).toMatch(/^[A-Z].*\.$/);
    expect(row.next).toMatch(/^[A-Z].*\.$/);
  });

  it("gives no two codes the same title", () => {
    const titles = rows.map(([, { title }]) => title);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });

  it("attributes evaluator errors to the challenge, and returns the slot", () => {
    const evaluators = rows.filter(([code]) => code.startsWith("evaluator_"));
    expect(evaluators.length).toBeGreaterThan(0);
    for (const [code, row] of evaluators) {
      expect(row.fault, code).toBe("challenge");
      expect(row.next, code).toMatch(/slot was returned/);
    }
  });

  it("uses every exit code", () => {
    expect([...new Set(rows.map(([, { exit }]) => exit))].toSorted((a, b) => a - b)).toEqual(EXIT_CODES);
  });
});

describe("a CrowdaiError", () => {
  it("has the texts of the catalog by default", () => {
    const error = new CrowdaiError("no_slots");
    expect(error.message).toBe(catalog.no_slots.title);
    expect(error.next).toBe(catalog.no_slots.next);
    expect(error.exitCode).toBe(4);
    expect(error.retryable).toBe(true);
  });

  it("is sent whole, with the number of its request where it has one", () => {
    const error = new CrowdaiError("no_slots", "Five of five today.");
    expect(error.toBody()).toEqual({
      ...{ code: "no_slots", fault: "you", message: "Five of five today." },
      ...{ next: catalog.no_slots.next, retryable: true },
    });
    const detailed = new CrowdaiError("no_slots", "No.", { details: { limit: 5 } });
    detailed.requestId = "r1";
    expect(detailed.toBody()).toMatchObject({ details: { limit: 5 }, request_id: "r1" });
    expect(CrowdaiError.fromBody(detailed.toBody()).requestId).toBe("r1");
  });

  it("survives serialization", () => {
    const sent = new CrowdaiError("no_slots", "Five of five today.", {
      details: { limit: 5 },
      next: "Wait.",
    });
    const body = JSON.parse(JSON.stringify(sent.toBody()));
    const received = CrowdaiError.fromBody(body);
    expect(received.toBody()).toEqual(sent.toBody());
    expect(received).toBeInstanceOf(CrowdaiError);
  });

  it("does not serialize its cause", () => {
    const error = new CrowdaiError("unexpected", undefined, { cause: new Error("a password") });
    expect(JSON.stringify(error.toBody())).not.toContain("password");
    expect(error.cause).toBeInstanceOf(Error);
  });

  it("with an unknown code becomes unexpected and keeps its message", () => {
    for (const code of ["invented_later", "toString", "__proto__"]) {
      const error = CrowdaiError.fromBody({ code, message: "New rule.", next: "Update." });
      expect(error).toMatchObject({
        code: "unexpected" satisfies ErrorCode,
        message: "New rule.",
        next: "Update.",
      });
      expect(error.exitCode).toBe(1);
    }
  });

  it("passes through asCrowdaiError unchanged, and other errors lose their message", () => {
    const known = new CrowdaiError("usage");
    expect(asCrowdaiError(known)).toBe(known);
    const made = asCrowdaiError(new Error("connect to postgres://user:secret@host"));
    expect(made).toMatchObject({ code: "unexpected", message: catalog.unexpected.title });
    expect(asCrowdaiError("text").cause).toBe("text");
  });
});
