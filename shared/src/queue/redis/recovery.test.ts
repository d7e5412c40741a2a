import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { jobOf, reportOf } from "../contract/samples.ts";
import type { Taken } from "../contract/test-grader.ts";
import { aborted, until } from "../contract/wait-until.ts";
import type { JobQueue } from "../job-queue.ts";
import { EXCHANGE } from "./job-scripts.ts";
import { ADD_AGAIN } from "./lease-scripts.ts";
import type { Client } from "./reconnecting-connection.ts";
import { connectionsTo } from "./redis-url.ts";
import { type RedisStage, staged } from "./testing/redis-stage.ts";

/** The broker's side of a recovery: re-publishes the jobs in `waiting`, and checks those in `grading`. */
function recordsOf(stage: RedisStage, queue: JobQueue) {
  const waiting: string[] = [];
  const grading: string[] = [];
  const rebuilds: { reason: string; unknown: string[] }[] = [];
  let republished = 0;
  stage.recover(queue, {
    async republish() {
      republished++;
      for (const id of waiting) await queue.publish(jobOf(id));
    },
    async restart(reason, known) {
      const found = await known(grading);
      rebuilds.push({ reason, unknown: grading.filter((id) => !found.has(id)) });
    },
  });
  return { waiting, grading, rebuilds, republished: () => republished };
}

const FAST = { leaseMs: 1000 };

/** Opens a new queue, and waits until it was rebuilt. */
async function rebuiltQueue(stage: RedisStage) {
  const queue = await stage.queue(FAST);
  const records = recordsOf(stage, queue);
  await until(() => records.rebuilds.length === 1);
  return { queue, records };
}

describe.skipIf(withoutService("redis"))("when the queue loses jobs", () => {
  it.concurrent(
    "is rebuilt again when it is flushed during a rebuild",
    staged(async (stage) => {
      // Long enough for the rebuild lock to be renewed.
      const records = recordsOf(stage, await stage.queue({ leaseMs: 6000 }));
      await until(() => records.republished() === 1);
      await stage.admin.flushall();
      await until(() => records.republished() >= 2);
    }),
  );

  it.concurrent(
    "is rebuilt once when it is new, and not again by another broker",
    staged(async (stage) => {
      const first = recordsOf(stage, await stage.queue(FAST));
      const second = recordsOf(stage, await stage.queue(FAST));
      await until(() => first.rebuilds.length + second.rebuilds.length > 0);
      await sleep(2500);
      const later = recordsOf(stage, await stage.queue(FAST));
      await sleep(1500);
      expect(first.rebuilds.length + second.rebuilds.length).toBe(1);
      expect(later.republished()).toBe(0);
    }),
  );

  it.concurrent(
    "is rebuilt after a flush: waiting jobs are delivered, running ones continue, lost ones are reported",
    staged(async (stage) => {
      const { queue, records } = await rebuiltQueue(stage);
      const holder = stage.attach(queue, { grader: "holder" });
      await queue.publish(jobOf("held"));
      const held = await holder.next();
      records.grading.push("held", "nobodys");
      for (const id of ["a", "b"]) {
        records.waiting.push(id);
        await queue.publish(jobOf(id));
      }
      await stage.admin.flushall();
      const other = stage.attach(await stage.queue(FAST), { grader: "other", handle: async () => {} });
      await until(() => other.seen().includes("a") && other.seen().includes("b"));
      await until(() => records.rebuilds.length === 2);
      expect(records.rebuilds[1]).toEqual({ reason: "the queue lost its contents", unknown: ["nobodys"] });
      // Many leases later its holder still has it, and then finishes it.
      await sleep(3000);
      expect(held.delivery.signal.aborted).toBe(false);
      expect(other.seen().sort()).toEqual(["a", "b"]);
      held.acknowledge();
      await until(async () => (await stage.admin.hlen(stage.key("index"))) === 0);
      expect(await stage.admin.xlen(stage.key("jobs:iris"))).toBe(0);
    }),
  );

  it.concurrent(
    "continues a running job when the queue is flushed again before it was rebuilt",
    staged(async (stage) => {
      // Without a broker that rebuilds it.
      const queue = await stage.queue(FAST);
      const grader = stage.attach(queue);
      await queue.publish(jobOf("running"));
      const taken = await grader.next();
      const isKnown = async () => (await stage.admin.hexists(stage.key("index"), "running")) === 1;
      // A grader recognizes a loss by what its last heartbeat saw, so it needs one.
      await until(async () => (await stage.admin.exists(stage.key("contents-since"))) === 1);
      for (let flushes = 0; flushes < 2; flushes++) {
        await stage.admin.flushall();
        await until(isKnown);
      }
      // Two more heartbeats later, its grader still has it.
      await sleep(FAST.leaseMs);
      expect(taken.delivery.signal.aborted).toBe(false);
      taken.acknowledge();
      await until(async () => !(await isKnown()));
    }),
  );

  it.concurrent(
    "delivers a job that was added again after a flush to another grader when its grader dies, and counts the delivery",
    staged(async (stage) => {
      const { queue } = await rebuiltQueue(stage);
      const doomed = stage.startGrader("doomed");
      await queue.publish(jobOf("job"));
      await doomed.says();
      await stage.admin.flushall();
      await until(async () => (await stage.admin.xlen(stage.key("jobs:iris"))) === 1);
      doomed.process.kill("SIGKILL");
      const heir = stage.attach(queue, { grader: "heir" });
      expect((await heir.next()).delivery.delivery).toBe(2);
    }),
  );

  it.concurrent(
    "is rebuilt after a restart, which may have lost the latest writes",
    staged(async (stage) => {
      const { queue, records } = await rebuiltQueue(stage);
      records.waiting.push("job");
      await queue.publish(jobOf("job"));
      await stage.redis.kill("SIGKILL");
      await stage.redis.restart();
      await until(() => records.rebuilds.length === 2);
      expect(records.rebuilds[1]?.reason).toBe("the queue was restarted");
      // It was there before, and is there only once.
      expect(await stage.admin.xlen(stage.key("jobs:iris"))).toBe(1);
    }),
  );

  it.concurrent(
    "recovers from the records when the entry of a dead grader was deleted",
    staged(async (stage) => {
      const { queue, records } = await rebuiltQueue(stage);
      const doomed = stage.startGrader("doomed");
      await queue.publish(jobOf("job"));
      await doomed.says();
      records.waiting.push("job");
      doomed.process.kill("SIGSTOP");
      const [[id]] = (await stage.admin.xrange(stage.key("jobs:iris"), "-", "+")) as unknown as [[string]];
      await stage.admin.xdel(stage.key("jobs:iris"), id);
      const heir = stage.attach(queue, { grader: "heir" });
      expect((await heir.next()).id).toBe("job");
      expect(heir.seen()).toEqual(["job"]);
    }),
  );

  it.concurrent(
    "adds an entry again that was deleted while its job was running",
    staged(async (stage) => {
      const queue = await stage.queue(FAST);
      const grader = stage.attach(queue);
      await queue.publish(jobOf("job"));
      const taken = await grader.next();
      const key = stage.key("jobs:iris");
      const [[id]] = (await stage.admin.xrange(key, "-", "+")) as unknown as [[string]];
      await stage.admin.xdel(key, id);
      await until(async () => (await stage.admin.xlen(key)) === 1);
      expect(taken.delivery.signal.aborted).toBe(false);
      const other = stage.attach(await stage.queue(FAST), { grader: "other" });
      await sleep(2500);
      expect(other.seen()).toEqual([]);
      taken.acknowledge();
      await until(async () => (await stage.admin.xlen(key)) === 0);
    }),
  );

  it.concurrent(
    "recreates a removed group or stream, and recovers from the records",
    staged(async (stage) => {
      const { queue, records } = await rebuiltQueue(stage);
      const grader = stage.attach(queue, { handle: async () => {} });
      await queue.publish(jobOf("before"));
      await until(() => grader.seen().includes("before"));
      await stage.admin.xgroup("DESTROY", stage.key("jobs:iris"), "graders");
      await until(() => records.rebuilds.length === 2);
      records.waiting.push("waiting");
      await stage.admin.del(stage.key("jobs:iris"));
      await until(() => grader.seen().includes("waiting"));
      await until(() => records.rebuilds.length === 3);
    }),
  );

  it.concurrent(
    "knows a submission whose last report is not applied yet",
    staged(async (stage) => {
      const queue = await stage.queue(FAST);
      await queue.report(reportOf("reported", 1));
      const records = recordsOf(stage, queue);
      records.grading.push("reported", "nobodys");
      await until(() => records.rebuilds.length === 1);
      expect(records.rebuilds[0]?.unknown).toEqual(["nobodys"]);
    }),
  );

  it.concurrent(
    "repeats a rebuild that failed, or during which Redis was flushed",
    staged(async (stage) => {
      const queue = await stage.queue(FAST);
      let tries = 0;
      stage.recover(queue, {
        async republish() {
          tries++;
          if (tries === 1) throw new Error("the records are away");
          if (tries === 2) await stage.admin.flushall();
        },
        async restart() {},
      });
      await until(() => tries === 3);
      await until(async () => (await stage.admin.exists(stage.key("epoch"))) === 1);
      await sleep(1500);
      expect(tries).toBe(3);
    }),
  );
});

describe.skipIf(withoutService("redis"))("a running job that is added again after a flush", () => {
  /** A grader whose job is added again once, as the test wants it: before, while or after the job ends. */
  async function flushed(
    stage: RedisStage,
    addAgain: (add: () => Promise<unknown>, taken: Taken, client: Client) => Promise<unknown>,
  ) {
    const exchanges = { begun: () => {}, answered: () => {} };
    const next = (moment: keyof typeof exchanges) =>
      new Promise<void>((resolve) => {
        exchanges[moment] = resolve;
      });
    let taken: Taken | null = null;
    let added = false;
    const connect = connectionsTo(stage.redis.url).connect;
    const redis = () => {
      const client = connect();
      const evalsha = client.evalsha.bind(client) as (...args: unknown[]) => Promise<unknown>;
      client.evalsha = ((sha: string, ...args: unknown[]) => {
        const send = () => evalsha(sha, ...args);
        if (sha === ADD_AGAIN.sha && !added) {
          added = true;
          return addAgain(send, taken!, client);
        }
        const answer = send();
        if (sha === EXCHANGE.sha) {
          exchanges.begun();
          answer.then(exchanges.answered, () => {});
        }
        return answer;
      }) as Client["evalsha"];
      return client;
    };
    // Otherwise its first call only finds that Redis does not have it.
    await stage.admin.script("LOAD", ADD_AGAIN.lua);
    const queue = await stage.queue({ ...FAST, redis });
    const grader = stage.attach(queue);
    await queue.publish(jobOf("job"));
    taken = await grader.next();
    // A grader recognizes a loss by what its last heartbeat saw, so it needs one.
    await until(async () => (await stage.admin.exists(stage.key("contents-since"))) === 1);
    await stage.admin.flushall();
    const isLeft = async () =>
      (await stage.admin.hlen(stage.key("index"))) + (await stage.admin.xlen(stage.key("jobs:iris"))) > 0;
    return { queue, grader, taken, next, isLeft, added: () => added };
  }

  it.concurrent(
    "is acknowledged when it ends before its grader knows the new entry",
    staged(async (stage) => {
      const known = Promise.withResolvers<void>();
      const { grader, next, isLeft } = await flushed(stage, async (add, taken) => {
        const id = await add();
        const sent = next("begun");
        taken.acknowledge();
        await sent;
        known.resolve();
        return id;
      });
      await known.promise;
      await until(async () => !(await isLeft()));
      expect(grader.seen()).toEqual(["job"]);
    }),
  );

  it.concurrent(
    "is acknowledged when it ends before it is added",
    staged(async (stage) => {
      const known = Promise.withResolvers<void>();
      const { grader, next, isLeft } = await flushed(stage, async (add, taken) => {
        const answered = next("answered");
        taken.acknowledge();
        await answered;
        const id = await add();
        known.resolve();
        return id;
      });
      await known.promise;
      await until(async () => !(await isLeft()));
      expect(grader.seen()).toEqual(["job"]);
    }),
  );

  it.concurrent(
    "is acknowledged by a grader that stops before it knows the new entry",
    staged(async (stage) => {
      const [stopped, known] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const { grader, next, isLeft } = await flushed(stage, async (add, taken) => {
        void grader.abort().then(stopped.resolve);
        const answered = next("answered");
        taken.acknowledge();
        await answered;
        await sleep(100);
        const id = await add();
        known.resolve();
        return id;
      });
      await Promise.all([stopped.promise, known.promise]);
      expect(await isLeft()).toBe(false);
    }),
  );

  it.concurrent(
    "is delivered again when it is returned before its grader knows the new entry",
    staged(async (stage) => {
      const { grader, next } = await flushed(stage, async (add, taken) => {
        const id = await add();
        const sent = next("begun");
        taken.returnToQueue();
        await sent;
        return id;
      });
      const again = await grader.next();
      expect(again.delivery.delivery).toBe(2);
      again.acknowledge();
    }),
  );

  it.concurrent(
    "continues when the connection is lost before its grader knows the new entry",
    staged(async (stage) => {
      const { grader, taken, isLeft, added } = await flushed(stage, async (add, _, client) => {
        await add();
        client.disconnect();
        throw new Error("Connection is closed.");
      });
      const other = stage.attach(await stage.queue(FAST), { grader: "other" });
      await until(added);
      await sleep(2 * FAST.leaseMs);
      expect(taken.delivery.signal.aborted).toBe(false);
      taken.acknowledge();
      await until(async () => !(await isLeft()));
      expect([...grader.seen(), ...other.seen()]).toEqual(["job"]);
    }),
  );

  it.concurrent.each(["before", "after"])(
    "is removed when it was cancelled meanwhile and its grader learns of it %s it is added",
    (order) =>
      staged(async (stage) => {
        const cancel = () => stage.admin.publish(stage.key("control"), "job 1");
        const known = Promise.withResolvers<void>();
        const { grader, taken, isLeft } = await flushed(stage, async (add, { delivery, acknowledge }) => {
          if (order === "before") {
            await cancel();
            await aborted(delivery.signal);
            acknowledge();
          }
          const id = await add();
          known.resolve();
          return id;
        });
        await known.promise;
        if (order === "after") {
          await cancel();
          await aborted(taken.delivery.signal);
          taken.returnToQueue();
        }
        await until(async () => !(await isLeft()));
        expect(grader.seen()).toEqual(["job"]);
      })(),
  );
});
