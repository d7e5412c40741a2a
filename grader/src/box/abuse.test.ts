import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestSandbox } from "../testing/boxes.ts";
import { runProgram } from "./run-program.ts";
import type { BoxEnd, BoxLimits } from "./sandbox.ts";

/** How many programs run at the same time: many only wait. */
const PARALLEL = 8;
const FOLDER = join(import.meta.dirname, "abuse");

const sandbox = await openTestSandbox();
const names = readdirSync(FOLDER).filter((name) => name.endsWith(".py") && name !== "attack.py");

interface Program {
  name: string;
  verdict: string;
  limits: Partial<BoxLimits>;
}

/** Reads the expected verdict and the limits in a program's head. */
function readProgram(name: string): Program {
  const text = readFileSync(join(FOLDER, name), "utf8");
  const verdict = text.match(/^# Verdict: (.+)$/m)?.[1];
  if (!verdict) throw new Error(`${name} does not say its verdict.`);
  const limits: Partial<BoxLimits> = {};
  const fields = { wall: "wallMs", cpu: "cpuMs", memory: "memoryBytes", scratch: "scratchBytes" } as const;
  for (const [, field, value] of text.match(/^# Limits: (.+)$/m)?.[1]?.matchAll(/(\w+) (\d+)/g) ?? [])
    limits[fields[field as keyof typeof fields]] = Number(value);
  return { name, verdict, limits };
}

type Result = BoxEnd & { stdout: string; stderr: string; files: string[] };

describe.runIf(sandbox)("a hostile program in a box", () => {
  const results = new Map<string, Promise<Result>>();
  let folder: string;
  const word = "CROWDAI_ABUSE_CANARY";
  const abstract = `crowdai-abuse-${process.pid}`;
  const listener = createServer();
  const abstractListener = createServer();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-abuse-"));
    const canary = join(folder, "canary");
    writeFileSync(canary, "secret");
    process.env[word] = "secret";
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    await new Promise<void>((resolve) =>
      abstractListener.listen(`\0${abstract}`, resolve).once("error", () => resolve()),
    );
    const { port } = listener.address() as { port: number };
    const waiting = names.map((name) => ({ ...readProgram(name), result: Promise.withResolvers<Result>() }));
    for (const { name, result } of waiting) results.set(name, result.promise);
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { name, limits, result } = next;
        const into = mkdtempSync(join(folder, "out-"));
        const end = await runProgram(
          sandbox!.start,
          ["/usr/bin/python3", `/abuse/${name}`, String(port), canary, word, abstract, String(process.pid)],
          { readable: { "/abuse": FOLDER }, collectInto: into, limits },
        ).catch((error: Error) => error);
        if (end instanceof Error) result.reject(end);
        else result.resolve({ ...end, files: readdirSync(into) });
      }
    };
    for (let at = 0; at < PARALLEL; at++) void work();
  });

  afterAll(async () => {
    await Promise.allSettled(results.values());
    listener.close();
    abstractListener.close();
    delete process.env[word];
    rmSync(folder, { recursive: true, force: true });
    sandbox?.[Symbol.dispose]();
  });

  it.each(names.map((name) => [name, readProgram(name).verdict]))("%s: %s", async (name, verdict) => {
    const { cause, code, stdout, stderr, detail, files, usage } = await results.get(name)!;
    expect(stdout).not.toContain("ESCAPED");
    expect([
      cause === "exit" ? `exit ${code}` : cause,
      verdict.startsWith("exit") ? stderr + detail : "",
    ]).toEqual([verdict, verdict === "exit 0" ? "" : verdict.startsWith("exit") ? stderr : ""]);
    expect(usage.wallMs).toBeLessThan(30_000);
    if (name === "links_as_output.py") expect(files.sort()).toEqual(["file", "hard"]);
    if (name === "odd_names.py") expect(files).toContain("-rf");
  });
});
