import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collectingStream } from "../../../test/collecting-stream.ts";
import { useCommandLine } from "../../../test/command-line.ts";
import { showNotification } from "./show-notification.ts";

const cli = useCommandLine();
const OSC_9 = "\u001b]9;iris graded: Accuracy: 0.900, Rank: 3 of 17 (up 2)\u001b\\\u0007";
const onTerminal = { tty: { stderr: true } };

/** A desktop whose notify-send notes its arguments, a line each. */
async function desktop(script = 'printf "%s\\n" "$@" > "$NOTED"') {
  const [bin, noted] = [join(cli.folder, "bin"), join(cli.folder, "noted")];
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "notify-send"), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, "notify-send"), 0o755);
  const env = { DISPLAY: ":0", PATH: `${bin}:/usr/bin:/bin`, NOTED: noted };
  return { env, noted: () => readFile(noted, "utf8").catch(() => null) };
}

async function submitted(): Promise<string> {
  return (await cli.run(["submit", "--json", "[1]", "-c", "iris", "--no-wait"])).stdout.trim();
}

describe("--notify", () => {
  it("shows the grade through the terminal, and rings its bell", async () => {
    const { stderr, code } = await cli.run(["watch", await submitted(), "--notify"], onTerminal);
    expect([code, stderr]).toEqual([0, expect.stringContaining(OSC_9)]);
    expect((await cli.run(["watch", await submitted()], onTerminal)).stderr).not.toContain("\u0007");
  });

  it("uses the desktop's program where there is one, without a shell, and only the bell beside it", async () => {
    cli.broker.grader = () => ({
      error: { code: "rejected", message: "--row 17 <b>;$(touch x)\u001b]0;x\u0007" },
    });
    const { env, noted } = await desktop();
    const { stderr, code } = await cli.run(["submit", "--json", "[1]", "-c", "iris", "--notify"], {
      ...{ ...onTerminal, env },
    });
    expect(code).toBe(6);
    expect((await noted())?.split("\n")).toEqual([
      ...["--app-name=crowdai", "--", "crowdai: submission failed"],
      ...["--row 17 &lt;b&gt;;$(touch x)\\x1b]0;x\\x07", ""],
    ]);
    expect(stderr).toContain("\u0007");
    expect(stderr).not.toContain("\u001b]9;");
  });

  it("falls back to the terminal when the program fails", async () => {
    const { env } = await desktop("exit 1");
    const { stderr } = await cli.run(["watch", await submitted(), "--notify"], { ...onTerminal, env });
    expect(stderr).toContain(OSC_9);
  });

  it("reports a wait that timed out", async () => {
    cli.broker.grader = null;
    const { env, noted } = await desktop();
    const args = ["watch", await submitted(), "--notify", "--timeout", "0.05"];
    expect((await cli.run(args, { env })).code).toBe(8);
    expect(await noted()).toContain("crowdai: not graded yet\n");
  });

  it("is quiet in CI, and prints nothing where there is no terminal", async () => {
    const { env, noted } = await desktop();
    const inCi = { ...onTerminal, env: { ...env, CI: "true" } };
    expect((await cli.run(["watch", await submitted(), "--notify"], inCi)).stderr).not.toContain("\u0007");
    expect(await noted()).toBeNull();
    expect((await cli.run(["watch", await submitted(), "--notify"])).stderr).not.toContain("\u0007");
  });

  it("shows nothing with --no-wait, which waits for no grade", async () => {
    const { env, noted } = await desktop();
    const args = ["submit", "--json", "[1]", "-c", "iris", "--no-wait"];
    const { code, stderr } = await cli.run(args, {
      ...onTerminal,
      env: { ...env, CROWDAI_SUBMIT_NOTIFY: "1" },
    });
    expect([code, stderr, await noted()]).toEqual([0, expect.not.stringContaining("\u0007"), null]);
  });
});

it.each([
  ["foot", "\u001b]777;notify;a, b;c; d\u001b\\\u0007"],
  ["xterm-256color", "\u001b]9;a; b: c; d\u001b\\\u0007"],
])("speaks to %s, also where macOS has no program for it", async (TERM, expected) => {
  const stderr = collectingStream({ isTTY: true });
  const io = { env: { TERM }, stderr: stderr.stream };
  await showNotification(io, { title: "a; b", body: "c; d" }, true, "darwin");
  expect(stderr.text()).toBe(expected);
});
