import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringifyExact } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import { findProcessLimitTools } from "@crowdai/shared/process-limits";
import { onTestFinished } from "vitest";
import type { Sandbox } from "../box/sandbox.ts";
import type { Confinement } from "../confinement/confinement.ts";
import { findConfinement } from "../confinement/find-confinement.ts";
import { createEvaluator } from "../evaluators/create-evaluator.ts";
import type { Evaluated, Evaluator } from "../evaluators/protocol/evaluator.ts";
import type { LiveEvaluatorEvent } from "../evaluators/protocol/events.ts";
import { makeChallenge, temporaryFolder } from "./challenge.ts";

const path = process.env.PATH!;
export const confinement = await findConfinement(path);
export const limitTools = await findProcessLimitTools(path);

export interface TestEvaluator {
  evaluator: Evaluator;
  dir: string;
  /** Evaluates one job and also returns its events and its folder. */
  run(job?: Partial<TestJob>): Promise<Evaluated & { events: LiveEvaluatorEvent[]; workspace: string }>;
  /** Makes an evaluator from the folder as it is now. */
  again(): TestEvaluator;
}
interface TestJob {
  id: string;
  function: string;
  input: object;
  /** A submitted file. */
  file: { name: string; text: string };
  round: number;
  signal: AbortSignal;
  onEvent: (event: LiveEvaluatorEvent) => void;
}

/** Makes an evaluator that runs real processes, from programs given as text. */
export async function makeEvaluator(
  evaluator: object,
  files: Record<string, string> = {},
  options: { idleMs?: number; confinement?: Confinement; sandbox?: Sandbox; config?: object } = {},
): Promise<TestEvaluator> {
  const folder = await makeChallenge(evaluator, files, "iris", options.config);
  return evaluatorOf(folder, await temporaryFolder(), options);
}

function evaluatorOf(
  folder: ChallengeFolder,
  root: string,
  options: { idleMs?: number; confinement?: Confinement; sandbox?: Sandbox },
): TestEvaluator {
  const made = createEvaluator(folder, {
    ...{ limitTools, path, folder: root, idleMs: options.idleMs ?? 60_000 },
    sandbox: () => options.sandbox ?? null,
    confinement: options.confinement ?? confinement,
  });
  onTestFinished(() => made.evaluator.close());
  let jobs = 0;
  return {
    evaluator: made.evaluator,
    dir: folder.dir,
    again: () => evaluatorOf(folder, join(root, "again"), options),
    async run(job = {}) {
      const id = job.id ?? "job1";
      const workspace = join(root, `job-${++jobs}`);
      for (const name of ["input", "output"]) await mkdir(join(workspace, name), { recursive: true });
      const { file } = job;
      if (file) await writeFile(join(workspace, "input", file.name), file.text, { mode: 0o600 });
      const events: LiveEvaluatorEvent[] = [];
      const line = {
        id,
        function: job.function ?? "submit",
        round: job.round ?? 1,
        dry_run: false,
        input: file ? { path: join(workspace, "input", file.name) } : (job.input ?? { data: null }),
        code: null,
        output_dir: join(workspace, "output"),
      };
      const evaluated = await made.evaluator.evaluate({
        id,
        function: line.function,
        line: `${stringifyExact(line)}\n`,
        workspace,
        signal: job.signal ?? new AbortController().signal,
        onEvent(event) {
          events.push(event);
          job.onEvent?.(event);
        },
      });
      return { ...evaluated, events, workspace };
    },
  };
}

/** Makes a batch evaluator from a shell script. */
export function shell(script: string, options: object = {}): Promise<TestEvaluator> {
  return makeEvaluator(
    { command: ["./evaluate.sh"], ...options },
    { "evaluate.sh": `#!/bin/sh\n${script}\n` },
  );
}

/**
 * Makes a persistent evaluator from a Python script, in which `jobs()` yields jobs and `say(**event)` prints
 * events.
 */
export function python(
  script: string,
  options: object = {},
  settings: { idleMs?: number } = {},
): Promise<TestEvaluator> {
  const prelude = [
    "import json, os, sys, time",
    "def jobs():",
    "    for line in sys.stdin:",
    "        yield json.loads(line)",
    "def say(**event):",
    "    print(json.dumps(event), flush=True)",
  ];
  return makeEvaluator(
    { command: ["python3", "evaluate.py"], mode: "persistent", ...options },
    { "evaluate.py": `${prelude.join("\n")}\n${script}\n` },
    settings,
  );
}

/** Whether a process is alive. One that was killed but not yet reaped counts as gone. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return stat !== null && !/\) [ZX] /.test(stat);
}

/**
 * Whether a process is gone within a second: a killed process closes its files a moment before it disappears.
 */
export async function isGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    if (!(await isAlive(pid))) return true;
    await sleep(10);
  }
  return false;
}
