import { CrowdaiError } from "@crowdai/shared";
import { systemCodeOf } from "@crowdai/shared/system-code";
import type { Logger } from "../base/log.ts";

/** Whether this machine can run jobs. A machine with a problem is rechecked until the problem is gone. */
export interface MachineHealth extends Disposable {
  /** The problem found last, without paths; null when there is none. */
  problem(): string | null;
  /** Checks the machine now. Simultaneous calls share one check. */
  check(): Promise<string | null>;
}

/** `probe` throws when the machine cannot run jobs. */
export function createMachineHealth(options: {
  probe: () => Promise<void>;
  recheckMs: number;
  log: Logger;
}): MachineHealth {
  const { probe, recheckMs, log } = options;
  let problem: string | null = null;
  let checking: Promise<string | null> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let disposed = false;

  async function probeNow(): Promise<string | null> {
    const found = await probe().then(
      () => null,
      (err: unknown) => ({ err, text: describe(err) }),
    );
    if (found && problem === null)
      log.error(
        { event: "grader_unhealthy", problem: found.text, err: found.err },
        "machine check failed, taking no jobs",
      );
    if (!found && problem !== null)
      log.info({ event: "grader_recovered", problem }, "machine check succeeded, taking jobs again");
    problem = found?.text ?? null;
    clearTimeout(timer);
    if (problem !== null && !disposed) timer = setTimeout(() => void check(), recheckMs);
    return problem;
  }

  function check(): Promise<string | null> {
    checking ??= probeNow().finally(() => {
      checking = null;
    });
    return checking;
  }

  return {
    problem: () => problem,
    check,
    [Symbol.dispose]() {
      disposed = true;
      clearTimeout(timer);
    },
  };
}

/** Participants see it as the reason why their submission returned to the queue. */
function describe(thrown: unknown): string {
  if (thrown instanceof CrowdaiError && thrown.code === "store_unreachable") return thrown.message;
  return `The grader's machine has a problem (${systemCodeOf(thrown) ?? "a process cannot be started"}).`;
}
