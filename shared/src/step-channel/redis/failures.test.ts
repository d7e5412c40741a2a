import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { startRedis } from "../../../../scripts/services/redis.ts";
import type { Service } from "../../../../scripts/services/service.ts";
import { startTcpProxy, type TcpProxy } from "../../../../scripts/services/tcp-proxy.ts";
import type { AgentRequest } from "../../protocol/agent.ts";
import { until } from "../../queue/contract/wait-until.ts";
import { connectionsTo } from "../../queue/redis/redis-url.ts";
import { answerTo, echo, entryOf, reset, step } from "../step-channel.contract.ts";
import type { SessionReply, StepChannel } from "../step-channel.ts";
import { createRedisStepChannel } from "./redis-step-channel.ts";

const log = { info() {}, warn() {}, error() {} };
const never = new AbortController().signal;

describe.skipIf(withoutService("redis"))("the step channel on Redis, when something fails", () => {
  let folder: string;
  let redis: Service;
  let admin: Redis;
  let prefix: string;
  let atEnd: (() => Promise<unknown>)[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-steps-redis-"));
    redis = await startRedis({ folder });
    admin = new Redis(redis.port, { retryStrategy: () => 50 });
    admin.on("error", () => {});
  });
  afterAll(async () => {
    admin.disconnect();
    await redis.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    prefix = randomUUID();
    atEnd = [];
  });
  afterEach(async () => {
    for (const end of atEnd) await end();
  });

  const key = (name: string) => `{${prefix}}:steps:${name}`;

  function open(port = redis.port): StepChannel {
    const { connect } = connectionsTo(`redis://127.0.0.1:${port}`);
    const channel = createRedisStepChannel({ redis: connect, prefix, log });
    atEnd.unshift(() => channel.close());
    return channel;
  }

  async function openThroughProxy(): Promise<{ channel: StepChannel; proxy: TcpProxy }> {
    const proxy = await startTcpProxy(redis.port);
    atEnd.push(() => proxy.close());
    return { channel: open(proxy.port), proxy };
  }

  /** A session that notices every step, also one that comes twice. */
  function session() {
    const steps: unknown[] = [];
    const answer = async (request: AgentRequest): Promise<SessionReply> => {
      if (request.type === "step") steps.push(request.action);
      return { answer: answerTo(request), entry: entryOf({ ...step(steps.length), ...request }) };
    };
    return { steps, answer };
  }

  /** A step of a client that does not number its steps, and so cannot repeat them safely. */
  const unnumbered = (action: number): AgentRequest => ({ type: "step", action });
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

  it("loses no step and does none twice when connections break at any point", async () => {
    const broker = await openThroughProxy();
    const grader = await openThroughProxy();
    const { steps, answer } = session();
    await grader.channel.serve("s", answer);
    const breaks = [broker, grader].flatMap(({ proxy }) => [proxy.cut, proxy.loseNextReply]);
    for (const n of upTo(40)) {
      const answered = broker.channel.ask("s", unnumbered(n), never);
      if (n % 4 === 0) breaks[(n / 4) % breaks.length]!();
      expect(await answered).toEqual(answerTo(unnumbered(n)));
    }
    expect(steps).toEqual(upTo(40));
    expect(await open().journal("s")).toHaveLength(40);
  });

  it("continues the session of a grader that died, and forgets none of its steps", async () => {
    const broker = open();
    const grader = open();
    await grader.serve("s", session().answer);
    for (const n of upTo(3)) await broker.ask("s", step(n), never);
    // A killed process removes nothing from Redis either.
    await grader.close();
    const answer = broker.ask("s", step(4), never);
    const next = open();
    const later = session();
    await next.serve("s", later.answer);
    expect(await answer).toEqual(answerTo(step(4)));
    expect(later.steps).toEqual([4]);
    expect(await next.journal("s")).toEqual(upTo(4).map((n) => entryOf(step(n))));
  });

  it("takes nothing from a grader that was frozen until the one after it had died and expired", async () => {
    const broker = open();
    const gate = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const frozen = await open().serve("s", async (request) => {
      asked.resolve();
      await gate.promise;
      return { answer: answerTo(request), entry: entryOf(step(999)) };
    });
    const idle = await open().serve("t", echo);
    const answer = broker.ask("s", step(1), never);
    await asked.promise;
    const next = open();
    for (const name of ["s", "t"]) await next.serve(name, session().answer);
    await answer;
    await next.close();
    await admin.del(key("server:s"), key("server:t"));
    gate.resolve();
    await until(() => frozen.lost.aborted && idle.lost.aborted);
    expect(await open().journal("s")).toEqual([entryOf(step(1))]);
    await open().serve("s", echo);
    expect(await broker.ask("s", step(2), never)).toEqual(answerTo(step(2)));
  });

  it("names a request that was recorded before its grader died, so that it is not done twice", async () => {
    const requests = [{ type: "reset" }, unnumbered(7)] as const;
    for (const [i, request] of requests.entries()) {
      const name = `s${i}`;
      await admin.set(key(`server:${name}`), "dead/1");
      const answer = open().ask(name, request, never);
      const [, text] = (await admin.blpop(key("inbox:dead"), 10))!;
      const [, id] = JSON.parse(text);
      const entry = request.type === "step" ? entryOf(step(140, 7)) : entryOf(reset(1));
      await admin.rpush(key(`journal:${name}`), JSON.stringify([id, entry]));
      await open().serve(name, echo);
      const { episode, n } = entry as { episode: number; n?: number };
      expect(await answer).toEqual(
        answerTo({ ...request, episode, ...(n === undefined ? {} : { n }) } as AgentRequest),
      );
    }
  });

  it("continues after Redis was started again, with the journal that it kept", async () => {
    const broker = open();
    const { steps, answer } = session();
    await open().serve("s", answer);
    for (const n of upTo(3)) await broker.ask("s", unnumbered(n), never);
    await redis.kill("SIGTERM");
    const waiting = broker.ask("s", unnumbered(4), never);
    await redis.restart();
    expect(await waiting).toEqual(answerTo(unnumbered(4)));
    expect(steps).toEqual(upTo(4));
    expect(await open().journal("s")).toHaveLength(4);
  });

  it("continues after Redis was started again without its data", async () => {
    const broker = open();
    await open().serve("s", session().answer);
    await broker.ask("s", step(1), never);
    await redis.kill("SIGKILL");
    for (const name of await readdir(folder))
      if (name.startsWith("appendonly")) await rm(join(folder, name), { recursive: true });
    await redis.restart();
    expect(await broker.ask("s", step(2), never)).toEqual(answerTo(step(2)));
    // The first entry is there again if Redis was killed before it had confirmed it to the grader.
    expect((await open().journal("s")).at(-1)).toEqual(entryOf(step(2)));
  });

  it("waits for Redis, and gives up waiting on abort", async () => {
    await redis.kill("SIGSTOP");
    const broker = open();
    const abort = new AbortController();
    const refused = broker.ask("s", step(1), abort.signal);
    const waiting = broker.ask("s", step(2), never);
    await sleep(100);
    abort.abort("enough");
    await expect(refused).rejects.toBe("enough");
    await redis.kill("SIGCONT");
    await open().serve("s", echo);
    expect(await waiting).toEqual(answerTo(step(2)));
  });

  it("uses two connections for any number of sessions, and none before the first", async () => {
    const connections = async () => ((await admin.client("LIST")) as string).trim().split("\n").length;
    await until(async () => (await connections()) === 1);
    const [broker, grader] = [open(), open()];
    expect(await connections()).toBe(1);
    const play = async (name: string) => {
      await grader.serve(name, echo);
      await broker.ask(name, step(1), never);
    };
    await Promise.all(upTo(30).map((n) => play(`s${n}`)));
    expect(await connections()).toBe(5);
  });

  it("leaves nothing in Redis for ever, and journals for more than a day", async () => {
    const broker = open();
    const aborted = broker.ask("never served", step(1), AbortSignal.timeout(50));
    await expect(aborted).rejects.toThrow();
    const serving = await open().serve("s", session().answer);
    await broker.ask("s", step(1), never);
    expect(await admin.pttl(key("journal:s"))).toBeGreaterThan(24 * 3600 * 1000);
    const names = await admin.keys(`{${prefix}}*`);
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) expect(await admin.pttl(name)).not.toBe(-1);
    await serving[Symbol.asyncDispose]();
    await broker.forget("s");
    expect(await admin.exists(key("journal:s"))).toBe(0);
  });
});
