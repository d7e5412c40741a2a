import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { isRunning } from "../../test/is-running.ts";
import { runCommand, timeLimit } from "./run-command.ts";

const folder = mkdtempSync(join(tmpdir(), "crowdai-run-command-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("runCommand", () => {
  it("returns the exit code of the command", async () => {
    expect(await runCommand("sh", ["-c", "exit 3"])).toEqual({ exitCode: 3, endedBy: null });
  });

  it("returns 127 for a command that does not exist", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    expect(await runCommand("no-such-command", [])).toEqual({ exitCode: 127, endedBy: null });
    expect(error).toHaveBeenCalledWith(expect.stringContaining("no-such-command cannot be started"));
    error.mockRestore();
  });

  it("names the limit that ended a command", async () => {
    const result = await runCommand("sleep", ["1000"], { end: timeLimit(1 / 600) });
    expect(result.exitCode).toBe(1);
    expect(result.endedBy).toMatch(/^its limit of .* minutes$/);
  });

  it("ends the children of a command with it, those that ignore SIGTERM too", async () => {
    const file = join(folder, "pids");
    const output = openSync(file, "w");
    const limit = new AbortController();
    const script = "sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' & wait";
    const ended = runCommand("sh", ["-c", script], { end: limit.signal, output });
    const pid = await vi.waitFor(() => Number(/^\d+\n/.exec(readFileSync(file, "utf8"))![0]), 30_000);
    limit.abort("the test");
    expect(await ended).toEqual({ exitCode: 1, endedBy: "the test" });
    closeSync(output);
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), 30_000);
  });
});
