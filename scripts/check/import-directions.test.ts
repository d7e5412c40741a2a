import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { root } from "../lib/root.ts";
import { DIRECTIONS, type Directions, KNOWN_EXCEPTIONS } from "./allowed-directions.ts";
import { directionProblems } from "./import-directions.ts";

const RULES: Directions = {
  folder: "app/src",
  packages: ["@crowdai/shared"],
  parts: { http: ["domain"], domain: ["base"], base: [] },
  forbidden: [{ in: "domain", packages: ["hono", "node:child_process"] }],
};

describe("the check of import directions", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-directions-"));
    write(
      "http/routes.ts",
      'import { Hono } from "hono";\nimport { grade } from "../domain/grades/grade.ts";\n',
    );
    write("domain/grades/grade.ts", 'import type { Clock } from "../../base/clock.ts";\n');
    write("base/clock.ts", "export type Clock = () => Date;\n");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(name: string, text: string): void {
    const path = join(folder, "app/src", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const problems = (exceptions: readonly string[] = []) => directionProblems(folder, [RULES], exceptions);

  it("accepts imports that follow the table", () => {
    expect(problems()).toEqual([]);
  });

  it.each([
    ["an import", 'import { routes } from "../http/routes.ts";\n'],
    ["a type-only import", 'import type { Routes } from "../http/routes.ts";\n'],
    ["a re-export", 'export {\n  routes,\n} from "../http/routes.ts";\n'],
    ["a dynamic import", 'const { routes } = await import("../http/routes.ts");\n'],
  ])("reports %s against the table", (_, text) => {
    write("base/upward.ts", text);
    expect(problems()).toContain(
      "app/src/base/upward.ts imports app/src/http/routes.ts: base may import only packages",
    );
  });

  it("reports a package that a part must not know", () => {
    write("domain/grades/serve.ts", 'import { Hono } from "hono";\nimport "node:child_process";\n');
    expect(problems()).toEqual([
      "app/src/domain/grades/serve.ts imports hono: domain must not know hono",
      "app/src/domain/grades/serve.ts imports node:child_process: domain must not know node:child_process",
    ]);
  });

  it("reports a package of the repository that the table does not name", () => {
    write("http/grader.ts", 'import { createGrader } from "@crowdai/grader";\n');
    expect(problems()).toEqual([
      "app/src/http/grader.ts imports @crowdai/grader: app/src must not import @crowdai/grader",
    ]);
  });

  it("lets a part without a row in the table import packages only", () => {
    write("media/image.ts", 'import "../base/clock.ts";\n');
    expect(problems()).toEqual([
      "app/src/media/image.ts imports app/src/base/clock.ts: media may import only packages",
    ]);
  });

  it("reports files that import each other", () => {
    write("base/one.ts", 'import type { Two } from "./two.ts";\n');
    write("base/two.ts", 'import type { One } from "./one.ts";\n');
    expect(problems()).toEqual([
      "files import each other: app/src/base/one.ts -> app/src/base/two.ts -> app/src/base/one.ts",
    ]);
  });

  it("reports folders that import each other, with an import for each step", () => {
    write("domain/grades/rules.ts", 'import { rule } from "../rules/rule.ts";\n');
    write("domain/rules/limit.ts", 'import { grade } from "../grades/grade.ts";\n');
    write("domain/rules/rule.ts", "export const rule = 1;\n");
    const [problem, ...others] = problems();
    expect(others).toEqual([]);
    expect(problem).toContain("folders import each other: app/src/domain/grades, app/src/domain/rules");
    expect(problem).toContain("app/src/domain/rules/limit.ts -> app/src/domain/grades/grade.ts");
  });

  it("lets tests import from every part", () => {
    write("base/clock.test.ts", 'import { routes } from "../http/routes.ts";\n');
    expect(problems()).toEqual([]);
  });

  it("accepts a known exception, and reports one that is no longer needed", () => {
    write("base/upward.ts", 'import { routes } from "../http/routes.ts";\n');
    const known = "app/src/base/upward.ts -> app/src/http/routes.ts";
    expect(problems([known])).toEqual([]);
    rmSync(join(folder, "app/src/base/upward.ts"));
    expect(problems([known])).toEqual([`exception no longer needed: ${known}`]);
  });

  it("finds nothing wrong in this repository", () => {
    expect(directionProblems(root, DIRECTIONS, KNOWN_EXCEPTIONS)).toEqual([]);
  });
});
