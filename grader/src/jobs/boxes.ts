import { CrowdaiError, type Job } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { Logger } from "../base/log.ts";
import type { Sandbox } from "../box/sandbox.ts";

/** Whether this machine can run programs in boxes. It is tested when a challenge first needs it. */
export interface Boxes {
  /** Why no box can be used now; null when they can. The first call starts the test. */
  problem(): string | null;
  /** Resolves when the test is done. */
  ready(): Promise<void>;
  /** Null until the test is done, and when it failed. */
  sandbox(): Sandbox | null;
  /** The barriers that the self-test found to be enforced. */
  barriers(): readonly string[];
}

/** Resolves with what is missing when this machine has no boxes. */
export type OpenSandbox = () => Promise<Sandbox | { missing: string }>;

const RETEST_MS = 60_000;

export function createBoxes(open: OpenSandbox, log: Logger): Boxes {
  let state: (Tested & { at: number }) | null = null;
  let logged = "";
  let testing: Promise<void> | null = null;

  async function test(): Promise<void> {
    const tested: Tested = await tryBoxes(open).catch((error: Error) => ({
      sandbox: null,
      barriers: [],
      problem: `the test of boxes failed: ${error.message}`,
    }));
    const { sandbox, problem } = tested;
    state = { ...tested, at: performance.now() };
    if (sandbox) log.info({ event: "sandbox_tested", sandbox: sandbox.name }, "programs can run in boxes");
    else if (problem !== logged)
      log.error(
        { event: "sandbox_unavailable", problem },
        "programs cannot run in boxes, taking no such jobs",
      );
    logged = problem ?? "";
  }

  function ready(): Promise<void> {
    const isDone = state !== null && (state.sandbox !== null || performance.now() - state.at < RETEST_MS);
    if (isDone) return Promise.resolve();
    testing ??= test().finally(() => {
      testing = null;
    });
    return testing;
  }

  return {
    ready,
    sandbox: () => state?.sandbox ?? null,
    barriers: () => state?.barriers ?? [],
    problem() {
      void ready();
      return state === null ? "the grader is testing its boxes" : state.problem;
    },
  };
}

interface Tested {
  sandbox: Sandbox | null;
  barriers: readonly string[];
  problem: string | null;
}

async function tryBoxes(open: OpenSandbox): Promise<Tested> {
  const opened = await open();
  if ("missing" in opened) return { sandbox: null, barriers: [], problem: opened.missing };
  const { failures, enforced } = await opened.selfTest();
  if (failures.length === 0) return { sandbox: opened, barriers: enforced, problem: null };
  return {
    sandbox: null,
    barriers: [],
    problem: `${opened.name} does not keep programs in: ${failures.join("; ")}`,
  };
}

type Challenge = Pick<ChallengeFolder, "config">;

export function needsBox(challenge: Challenge): boolean {
  const { run, environment } = challenge.config;
  const runsCode = run !== null || environment?.agents.includes("code") === true;
  return runsCode || sessionNeedsBox(challenge);
}

/** Whether sessions of remote agents and replays need a box too: the environment itself runs in one. */
export function sessionNeedsBox({ config: { evaluator } }: Challenge): boolean {
  return "sandbox" in evaluator && evaluator.sandbox !== "none";
}

/** Throws sandbox_unavailable when a job of a challenge needs boxes that this machine does not have. */
export async function requireBox(
  folder: ChallengeFolder,
  boxes: Boxes,
  job?: Pick<Job, "input">,
): Promise<void> {
  if (!(job?.input.kind === "session" ? sessionNeedsBox : needsBox)(folder)) return;
  await boxes.ready();
  const problem = boxes.problem();
  if (problem !== null)
    throw new CrowdaiError("sandbox_unavailable", `This grader cannot run programs in a box: ${problem}.`);
}
