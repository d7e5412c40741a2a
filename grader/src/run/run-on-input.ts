import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RunConfig } from "@crowdai/shared/challenge-folder";
import type { LeftEntry, Sandbox } from "../box/sandbox.ts";
import { PYTHON_BASE } from "./build-plan.ts";
import type { Command } from "./find-command.ts";
import type { Image } from "./images.ts";
import { createLineDialogue } from "./line-dialogue.ts";
import { RunFailure } from "./run-failure.ts";
import { type BoxRunEnd, MAX_PRINTED_BYTES, runInBox } from "./run-in-box.ts";
import { boxEnvironment, boxLimits, RUN } from "./stage-plan.ts";
import { lastLine, type StageProblem, stageProblem } from "./stage-problem.ts";

export interface InputRun {
  sandbox: Sandbox;
  stage: "sample" | "run";
  run: RunConfig;
  image: Image;
  command: Command;
  /** The code, and what its build left. */
  code: string;
  built: string | null;
  input: string | null;
  /** An empty folder for the output. */
  into: string;
  /** Whether the participant may see what the program prints. */
  isVisible: boolean;
  signal: AbortSignal;
}

export interface InputRunEnd {
  end: BoxRunEnd;
  problem: RunFailure | null;
  outputBytes: number;
  /** The path of the output, if there is no problem. */
  output: string;
}

/** The answers of a program that is given lines. */
const ANSWERS = "answers.jsonl";

/** Runs the code on an input, and takes its output. */
export async function runOnInput(job: InputRun): Promise<InputRunEnd> {
  return "lines" in job.run.output ? runOnLines(job, job.run.output) : runOnFolder(job, job.run.output);
}

async function runOnFolder(job: InputRun, output: { path: string; max_bytes: number }): Promise<InputRunEnd> {
  let found: LeftEntry | null = null;
  const take = (entry: LeftEntry) => {
    if (entry.name !== output.path) return false;
    found = entry;
    return entry.kind === "file" && entry.size <= output.max_bytes;
  };
  const end = await runInBox({
    ...{ sandbox: job.sandbox, plan: planOf(job, job.input), signal: job.signal },
    ...{ collect: { folder: job.into, take }, maxPrintedBytes: MAX_PRINTED_BYTES },
  });
  const left = found as LeftEntry | null;
  const problem =
    limitProblem(job, end, MAX_PRINTED_BYTES) ?? outputProblem(left, output, end.collected) ?? null;
  return {
    end,
    problem: problem && failure(job, end, problem),
    outputBytes: left?.size ?? 0,
    output: join(job.into, output.path),
  };
}

function outputProblem(
  left: LeftEntry | null,
  { path, max_bytes }: { path: string; max_bytes: number },
  collected: boolean,
): StageProblem | null {
  const name = `/out/${path}`;
  if (left?.kind === "file")
    return left.size > max_bytes
      ? { code: "code_output", what: `left ${name} with ${left.size} bytes, more than ${max_bytes}` }
      : collected
        ? null
        : { code: "output_invalid", what: `left files in /out that could not be taken out of its box` };
  if (left) {
    const kind = { folder: "a folder", link: "a link", pipe: "a pipe", other: "not a regular file" }[
      left.kind
    ];
    return { code: "output_invalid", what: `left ${name}, which is ${kind}` };
  }
  return collected
    ? { code: "output_missing", what: `left no ${name}` }
    : { code: "output_invalid", what: "left files in /out that could not be taken out of its box" };
}

async function runOnLines(
  job: InputRun,
  output: { feed: "all" | "one"; max_bytes: number },
): Promise<InputRunEnd> {
  const answers = join(job.into, ANSWERS);
  const dialogue = await createLineDialogue({
    ...{ input: job.input!, feed: output.feed, answers, maxBytes: output.max_bytes },
  });
  const end = await runInBox({
    ...{ sandbox: job.sandbox, plan: planOf(job, null), signal: job.signal },
    ...{ dialogue, maxPrintedBytes: output.max_bytes },
  });
  const refused = dialogue.refused();
  const { answered, total } = dialogue.count();
  const answeredAll = `answered ${answered} of ${total} lines`;
  let problem: StageProblem | null;
  if (refused) problem = { code: "output_invalid", what: job.isVisible ? refused.detail : refused.what };
  else {
    problem = limitProblem(job, end, output.max_bytes);
    if (problem) problem = { ...problem, what: `${problem.what} (it had ${answeredAll})` };
    else if (answered < total) problem = { code: "output_invalid", what: answeredAll };
  }
  return {
    end,
    problem: problem && failure(job, end, problem),
    outputBytes: end.printedBytes,
    output: answers,
  };
}

const limitProblem = (job: InputRun, end: BoxRunEnd, maxPrintedBytes: number) =>
  stageProblem(end, job.run.limits, { wallSeconds: job.run.limits.wall_seconds, maxPrintedBytes });

function failure(job: InputRun, end: BoxRunEnd, { code, what }: StageProblem): RunFailure {
  const said = job.isVisible && end.ended === "exit" && end.exitCode !== 0 ? lastLine(end) : "";
  const more = said ? `: ${said}` : ".";
  return job.stage === "sample"
    ? new RunFailure("sample_failed", `On the sample, the code ${what}${more}`)
    : new RunFailure(code, `The code ${what}${more}`);
}

function planOf({ run, image, command, code, built }: InputRun, input: string | null) {
  const hasPython = built !== null && existsSync(join(built, PYTHON_BASE));
  return {
    command,
    cwd: RUN.code,
    env: {
      ...boxEnvironment({ hasInput: input !== null }),
      ...(hasPython ? { PYTHONUSERBASE: `${RUN.code}/${PYTHON_BASE}` } : {}),
    },
    readable: {
      [RUN.code]: built === null ? code : [built, code],
      ...(input === null ? {} : { [RUN.input]: input }),
    },
    ...(image.root === null ? {} : { root: image.root }),
    limits: boxLimits(run.limits, "run"),
  };
}
