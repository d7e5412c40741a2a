import type { Job, Report } from "@crowdai/shared";
import type { JobQueue } from "@crowdai/shared/queue";
import type { Program, World } from "./world.ts";

/** A delivery that a grader holds under a lease. */
export interface Lease {
  readonly job: Job;
  readonly delivery: number;
  readonly grader: Program;
  /**
   * Called when the job is another grader's, or was cancelled, which this one hears with its next heartbeat.
   */
  onGiven: () => void;
}

/**
 * A queue that keeps the contract of shared/src/queue and no more: it outlives every program, loses its
 * contents, delivers jobs and reports again, refuses to take jobs for a while, and hears of a grader's death
 * late.
 */
export interface SimulatedQueue {
  /** As a broker sees it. */
  forBroker(program: Program): JobQueue;
  /** Waits for a job and takes it. */
  take(grader: Program): Promise<Lease>;
  /** Resolves when the report is in the queue. Rejects when the lease is gone, most of the time. */
  report(grader: Program, lease: Lease, report: Report): Promise<void>;
  acknowledge(grader: Program, lease: Lease): Promise<void>;
  /** The job returns to the front. */
  release(grader: Program, lease: Lease): Promise<void>;
  /** Loses everything but what graders hold. */
  flush(): void;
  /** Loses everything when a job of a regrade has come, most often while it waits. */
  flushAtRegrade(): void;
  /** Gives a job that is held to another grader; the old one does not know. */
  expireLease(lease?: Lease): void;
  /** Loses a job whose grading has begun, unnoticed. */
  loseJob(): void;
  isIdle(): boolean;
}

const LEASE_MS = 10_000;
const RETURN_MS = 2000;
const DELAY_MS = 120_000;
const OTHER_BROKERS_READ = 3;

export function createSimulatedQueue(world: World): SimulatedQueue {
  let waiting: Job[] = [];
  const running = new Map<string, Lease>();
  const deliveries = new Map<string, number>();
  const reports = new Map<string, Report[]>();
  /** Submissions whose first report a broker is applying. */
  const applying = new Map<string, Program>();
  /** Leases whose start was reported. */
  const started = new Set<Lease>();
  /** Leases of lost jobs: their graders are refused. */
  const forgotten = new Set<Lease>();
  /** Submissions whose reports are on their way for longer than a grading may take. */
  const delayed = new Set<string>();
  let losses = 0;
  let losesAtRegrade = false;

  const keyOf = ({ submission, attempt }: Pick<Job, "submission" | "attempt">) => `${submission} ${attempt}`;
  const isPending = (submission: string) =>
    !applying.has(submission) && reports.get(submission)?.some(({ type }) => type === "started");
  const holds = (lease: Lease) => running.get(lease.job.submission) === lease;

  function withdraw(submission: string): void {
    waiting = waiting.filter((job) => job.submission !== submission);
    const lease = running.get(submission);
    running.delete(submission);
    lease?.onGiven();
  }

  function publish(job: Job): void {
    const known =
      waiting.find(({ submission }) => submission === job.submission) ?? running.get(job.submission)?.job;
    if (known && known.attempt >= job.attempt) return;
    withdraw(job.submission);
    waiting.push(job);
    if (!losesAtRegrade || job.fair_key !== "regrade") return;
    losesAtRegrade = false;
    // Not at once: the broker may not have marked it as queued yet.
    world.after(0, flush);
  }

  function putBack(lease: Lease): void {
    if (!holds(lease)) return;
    running.delete(lease.job.submission);
    waiting.unshift(lease.job);
  }

  function flush(): void {
    world.note("the queue loses its contents");
    waiting = [];
    deliveries.clear();
    // The start that is lost with its report is not in the records.
    for (const lease of started) if (isPending(lease.job.submission)) started.delete(lease);
    for (const [submission, list] of reports) if (!applying.has(submission)) list.length = 0;
    for (const [submission, lease] of running) {
      // A living grader registers its job again, with the delivery that it has.
      if (lease.grader.alive) deliveries.set(keyOf(lease.job), lease.delivery);
      else running.delete(submission);
    }
    world.after(RETURN_MS, () => {
      losses++;
    });
  }

  const due = () => {
    for (const entry of reports)
      if (entry[1].length > 0 && !applying.has(entry[0]) && !delayed.has(entry[0])) return entry;
    return undefined;
  };

  async function receiveLoop(program: Program, apply: (report: Report) => Promise<void>): Promise<void> {
    while (program.alive) {
      await world.step(program, "receives a report", () => due() !== undefined);
      const [submission, list] = due()!;
      applying.set(submission, program);
      const [report] = list;
      try {
        await apply(report!);
        await world.step(program, "acknowledges a report");
        // Lost with its acknowledgement, it comes again.
        if (list[0] === report && !world.fault("a report is delivered twice", 5)) list.shift();
      } catch (error) {
        if (!(error instanceof Away)) throw error;
      }
      applying.delete(submission);
    }
  }

  return {
    forBroker(program) {
      program.onCrash.push(() => {
        for (const [submission, by] of applying) if (by === program) applying.delete(submission);
      });
      const mayBeAway = async (label: string) => {
        await world.step(program, label);
        if (world.fault("the queue does not answer", 3)) throw new Away();
      };
      return {
        name: "simulated",
        async publish(job) {
          await mayBeAway("publishes a job");
          publish(job);
          // It has the job, and the broker does not know.
          if (world.fault("the answer of the queue is lost", 2)) throw new Away();
        },
        consume: () => Promise.reject(new Error("graders use `take`")),
        report: () => Promise.reject(new Error("graders use `report`")),
        async receive(apply) {
          await Promise.all(Array.from({ length: OTHER_BROKERS_READ }, () => receiveLoop(program, apply)));
        },
        async recover(recovery) {
          // A broker that starts looks too.
          let seen = -1;
          while (program.alive) {
            await world.step(program, "hears that the queue lost jobs", () => seen !== losses);
            const loss = losses;
            try {
              await recovery.republish("lost");
              await recovery.restart(
                "lost",
                async (ids) => new Set(ids.filter((id) => running.has(id) || reports.get(id)?.length)),
              );
              seen = loss;
            } catch (error) {
              if (!(error instanceof Away)) throw error;
            }
          }
        },
        async cancel(submission) {
          await mayBeAway("cancels a job");
          withdraw(submission);
        },
        attached: async () => [],
        close: async () => {},
      };
    },
    async take(grader) {
      await world.step(grader, "takes a job", () => waiting.length > 0);
      const job = waiting.shift()!;
      const delivery = (deliveries.get(keyOf(job)) ?? 0) + 1;
      deliveries.set(keyOf(job), delivery);
      const lease: Lease = { job, delivery, grader, onGiven() {} };
      running.set(job.submission, lease);
      grader.onCrash.push(() => world.after(LEASE_MS, () => putBack(lease)));
      return lease;
    },
    async report(grader, lease, report) {
      await world.step(grader, `reports ${report.type}`);
      // Its lease may end between the queue's look at it and the report.
      if (!holds(lease) && (forgotten.has(lease) || world.choices.pick(2) === 0))
        throw new Error("the job is another grader's");
      if (report.type === "started") started.add(lease);
      const list = reports.get(report.submission) ?? [];
      list.push(report);
      reports.set(report.submission, list);
      if (world.fault("reports are delayed", 1)) {
        delayed.add(report.submission);
        world.after(DELAY_MS, () => delayed.delete(report.submission));
      }
    },
    async acknowledge(grader, lease) {
      await world.step(grader, "acknowledges its job");
      if (holds(lease)) running.delete(lease.job.submission);
    },
    async release(grader, lease) {
      await world.step(grader, "returns its job");
      putBack(lease);
    },
    flush,
    flushAtRegrade() {
      losesAtRegrade = true;
    },
    expireLease(lease) {
      const held = lease ? [lease].filter(holds) : [...running.values()];
      if (held.length === 0) return;
      const expired = held[world.choices.pick(held.length)]!;
      world.note(`the lease of ${expired.grader.name} for ${expired.job.submission} expires`);
      putBack(expired);
      expired.onGiven();
    },
    loseJob() {
      // Without a start in the records, it waits for the deadline of a week.
      const held = [...running.values()].filter(
        (lease) => started.has(lease) && !reports.get(lease.job.submission)?.length,
      );
      if (held.length === 0) return;
      const lost = held[world.choices.pick(held.length)]!;
      world.note(`the queue loses the job of ${lost.job.submission}`);
      running.delete(lost.job.submission);
      forgotten.add(lost);
      lost.onGiven();
    },
    isIdle: () =>
      waiting.length === 0 && running.size === 0 && ![...reports.values()].some((list) => list.length > 0),
  };
}

/** The queue does not answer; brokers try again. */
export class Away extends Error {}
