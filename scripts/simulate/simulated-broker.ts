import type { Intent, Receipt, Report, Submission, SubmissionEvent } from "@crowdai/shared";
import { type ChallengeConfig, challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { embeddedWebapp } from "../../broker/src/background/webapp/embedded-webapp.ts";
import type { Catalog } from "../../broker/src/domain/challenges/catalog.ts";
import { disqualify, reinstate } from "../../broker/src/domain/eligibility/disqualify.ts";
import { createQueuePositions } from "../../broker/src/domain/graders/queue-positions.ts";
import type { Caller } from "../../broker/src/domain/participants/api-keys.ts";
import { applyRegradeReport } from "../../broker/src/domain/regrade/apply-regrade-report.ts";
import { enqueueRegrades } from "../../broker/src/domain/regrade/enqueue-regrades.ts";
import { startRegrade } from "../../broker/src/domain/regrade/start-regrade.ts";
import {
  republishRegrades,
  restartRegrades,
  sweepRegrades,
} from "../../broker/src/domain/regrade/sweep-regrades.ts";
import { applyReport } from "../../broker/src/domain/submissions/apply-report.ts";
import { cancelSubmission } from "../../broker/src/domain/submissions/cancel-submission.ts";
import { createDispatcher } from "../../broker/src/domain/submissions/dispatcher.ts";
import { findFreeOrOwn } from "../../broker/src/domain/submissions/find-submission.ts";
import { createRecovery } from "../../broker/src/domain/submissions/recover-queue.ts";
import { registerIntent } from "../../broker/src/domain/submissions/register-intent.ts";
import type { SubmissionServices } from "../../broker/src/domain/submissions/services.ts";
import { sweepDeadlines } from "../../broker/src/domain/submissions/sweep-deadlines.ts";
import type { Records } from "../../broker/src/records/records.ts";
import { Away, type SimulatedQueue } from "./simulated-queue.ts";
import type { Program, World } from "./world.ts";

export const CHALLENGE = "sums";
export const SLOTS_EACH = 2;

const sums = challengeConfigSchema.parse({
  id: CHALLENGE,
  title: "Sums",
  score: { precision: 6, order: "descending" },
  accepts: { json: {} },
  rounds: [{ id: "1", limit: { count: SLOTS_EACH, per: "round" }, parallel_limit: null }],
  evaluator: { command: ["true"], timeout_seconds: 5 },
});

/** A catalog with one challenge. */
export function catalogOf(config: ChallengeConfig): Catalog {
  const served = { config, version: "1", data: [], bundle: null };
  const challenges = new Map([[config.id, served]]);
  return {
    all: () => challenges,
    get: () => served,
    unknown: () => new Error("unknown challenge") as never,
    folders: () => new Map(),
    refresh: async () => ({ changed: [], mistakes: [], shadowed: [] }),
  };
}

const sumsCatalog = catalogOf(sums);

/** How often a broker repeats its work, in milliseconds. */
export interface Intervals {
  dispatch: number;
  deadlines: number;
  regrades: number;
}

/** Less often than src/startup/scheduler.ts says, so that schedules are short. */
const EVERY: Intervals = { dispatch: 8000, deadlines: 30_000, regrades: 8000 };

/** The product's own code for submissions and regrades, composed as src/startup/broker.ts does. */
export interface SimulatedBroker {
  readonly program: Program;
  /** The services of the functions of the product. */
  readonly context: SubmissionServices;
  submit(caller: Caller, intent: Intent): Promise<Receipt>;
  cancel(caller: Caller, id: string): Promise<Submission>;
  regrade(): Promise<unknown>;
  disqualify(name: string): Promise<void>;
  reinstate(name: string): Promise<unknown>;
}

export interface BrokerOptions {
  world: World;
  program: Program;
  records: Records;
  queue: SimulatedQueue;
  announced: (events: SubmissionEvent[]) => void;
  /** Called with an error of the product's own, which must not happen. */
  failed: (error: unknown) => void;
  /** Changes a report before it is applied. */
  receive: (report: Report) => Report;
  /** The challenge; by default, one whose submissions are numbers. */
  catalog?: Catalog;
  /** Of the challenge's episodes. */
  seeds?: readonly number[];
  intervals?: Intervals;
}

export function startSimulatedBroker(options: BrokerOptions): SimulatedBroker {
  const { world, program, records, announced, failed, receive } = options;
  const { catalog = sumsCatalog, intervals = EVERY } = options;
  const clock = () => world.now();
  const queue = options.queue.forBroker(program);
  const log = { debug() {}, info() {}, warn() {}, error() {} } as unknown as SubmissionServices["log"];
  const seedsOf = () => (options.seeds ? [...options.seeds] : null);
  const dispatcher = createDispatcher({
    records,
    queue,
    catalog,
    clock,
    log,
    seedsOf,
    enqueueRegrades: () => enqueueRegrades({ records, queue, catalog, clock, seedsOf }),
  });
  const nothing = {} as never;
  const context: SubmissionServices = {
    records,
    queue,
    catalog,
    clock,
    log,
    seedsOf,
    webapp: embeddedWebapp(records.db, clock),
    objects: nothing,
    steps: nothing,
    graders: {
      all: () => [],
      serving: () => [],
      servingSessions: async () => [],
      lastSeen: () => null,
    } as never,
    runsCode: () => false,
    gradingTimes: { record() {}, meanMs: () => null },
    queuePositions: createQueuePositions(),
    metrics: { refused() {}, uploaded() {} },
    baseUrl: () => "http://broker",
    announce: (_challenge, events) => announced(events),
    dispatchSoon: dispatcher.soon,
    dispatchStalled: dispatcher.stalled,
  };

  const endless = new AbortController().signal;
  void queue
    .receive(
      (report) =>
        applyReport(context, receive(report), (trx, given) => applyRegradeReport(context, trx, given)),
      endless,
    )
    .catch(failed);
  const recovery = createRecovery(context, {
    republishRegrades,
    restartRegrades: (known) => restartRegrades(context, known),
  });
  void queue.recover(recovery, endless).catch(failed);
  every(intervals.dispatch, async () => dispatcher.soon());
  every(intervals.deadlines, () => sweepDeadlines(context));
  every(intervals.regrades, () => sweepRegrades(context));

  function every(ms: number, work: () => Promise<unknown>): void {
    world.after(ms, () => {
      if (!program.alive) return;
      work()
        .catch((error) => {
          if (!(error instanceof Away)) failed(error);
        })
        .finally(() => every(ms, work));
    });
  }

  const decision = (name: string) => ({ name, challenge: null, now: clock().toISOString() });

  return {
    program,
    context,
    async submit(caller, intent) {
      const known = await findFreeOrOwn(records.db, caller, intent.id);
      return registerIntent(context, caller, intent, known);
    },
    cancel: (caller, id) => cancelSubmission(context, caller, id),
    regrade: () => startRegrade(records, [...catalog.all().keys()][0]!, clock()),
    disqualify: (name) => disqualify(records, { ...decision(name), reason: "for a test" }),
    reinstate: (name) => reinstate(records, decision(name)),
  };
}
