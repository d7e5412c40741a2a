import { afterEach, beforeEach } from "vitest";
import type { Report } from "../../protocol/job.ts";
import type { Consumption, JobQueue } from "../job-queue.ts";
import { createTestGrader, type Grader, type Handle } from "./test-grader.ts";
import { createTestReceiver, type Receiver } from "./test-receiver.ts";

export interface QueueUnderTest {
  queue: JobQueue;
  /** Closes the queue and removes what the test left in it. */
  close(): Promise<void>;
}

/** Creates a queue for each test, with graders and receivers that are stopped after it. */
export interface Stage {
  readonly queue: JobQueue;
  attach(options?: Partial<Consumption> & { handle?: Handle }): Grader;
  receive(apply?: (report: Report) => Promise<void>): Receiver;
}

export function setStage(create: () => Promise<QueueUnderTest>): Stage {
  let under: QueueUnderTest;
  let attached: { stop(): Promise<void> }[] = [];

  beforeEach(async () => {
    under = await create();
    attached = [];
  });
  afterEach(async () => {
    await Promise.all(attached.map((one) => one.stop()));
    await under.close();
  });

  return {
    get queue() {
      return under.queue;
    },
    attach(options = {}) {
      const grader = createTestGrader(under.queue, options);
      attached.push(grader);
      return grader;
    },
    receive(apply) {
      const receiver = createTestReceiver(under.queue, apply);
      attached.push(receiver);
      return receiver;
    },
  };
}
