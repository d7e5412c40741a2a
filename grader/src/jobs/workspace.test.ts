import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silent } from "../testing/running-grader.ts";
import { createWorkspaces, type Workspace } from "./workspace.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "crowdai-workspaces-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Returns the folder that the next job gets, after a job changed its own folder. */
async function after(deed: (workspace: Workspace) => void): Promise<{ before: string; next: Workspace }> {
  const workspaces = createWorkspaces(root, silent);
  const first = workspaces.take();
  deed(first);
  await first[Symbol.asyncDispose]();
  return { before: first.dir, next: workspaces.take() };
}

describe("a workspace", () => {
  it("has two empty subfolders, and is never shared by two running jobs", () => {
    const workspaces = createWorkspaces(root, silent);
    const [one, two] = [workspaces.take(), workspaces.take()];
    expect(one.dir).not.toBe(two.dir);
    for (const folder of [one.input, one.output]) expect(readdirSync(folder)).toEqual([]);
  });

  it("that was left empty is reused", async () => {
    const { before, next } = await after(() => {});
    expect(next.dir).toBe(before);
  });

  it.each<[string, (workspace: Workspace) => void]>([
    ["an input", ({ input }) => writeFileSync(join(input, "predictions.csv"), "x")],
    ["an output", ({ output }) => mkdirSync(join(output, "deep/er"), { recursive: true })],
    ["a file beside them", ({ dir }) => writeFileSync(join(dir, "job.json"), "{}")],
    [
      "a link in place of its output",
      ({ output }) => {
        rmdirSync(output);
        symlinkSync(tmpdir(), output);
      },
    ],
    ["a folder less", ({ output }) => rmdirSync(output)],
    ["an unreadable output", ({ output }) => writeFileSync(join(output, "x"), "") ?? chmodSync(output, 0)],
  ])("in which %s was left is removed, and the next job gets another", async (_, deed) => {
    const { before, next } = await after(deed);
    expect(next.dir).not.toBe(before);
    expect(existsSync(before)).toBe(false);
    expect([readdirSync(next.input), readdirSync(next.output)]).toEqual([[], []]);
  });
});
