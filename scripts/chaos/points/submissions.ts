import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createSubmissionId } from "../../../shared/src/index.ts";
import { cancelOne } from "../cancel-one.ts";
import { startClients } from "../clients.ts";
import type { PlannedSubmission } from "../submission-plan.ts";
import { PLAYED, TYPED, writeTypedChallenge } from "./challenges.ts";
import {
  request,
  type Scenario,
  type Stop,
  submissionThat,
  submitValue,
  until,
  untilOffered,
  type World,
} from "./world.ts";

/** How long a grader may take to its next heartbeat, on a busy machine. Its job must take longer. */
const HEARTBEAT_MS = 3500;

/** Clients submit a value and a file, and cancel a third submission. */
export const SUBMISSIONS: Scenario = {
  steps: [
    ...["commit.accept-upload", "commit.apply-report", "commit.cancel-submission", "commit.ranking-window"],
    ...["commit.mark-queued", "commit.register-intent", "publish.new-job", "publish.waiting-job"],
    ...["queue.acknowledge-reports", "queue.cancel", "queue.exchange", "queue.publish"],
    ...["queue.report", "report.outcome", "report.progress"],
    ...["upload.finish-input", "upload.plan-input", "upload.whole"],
  ],
  async run(world, { n }) {
    const clients = startClients({
      work: await workOf(world, n),
      keys: world.keys,
      brokerUrls: [world.url],
      random: world.random,
      signal: world.signal,
    });
    world.histories.push(...clients.histories);
    await Promise.all([
      clients.over,
      cancelOne(world.url, world.keys[0]!, `cancel-${world.seed}-${n}`, world.signal),
    ]);
  },
};

async function workOf({ folder, seed, keys }: World, n: number): Promise<PlannedSubmission[]> {
  const score = (n % 1000) / 1000;
  const path = join(folder, "inputs", `${n}.json`);
  const value = { score, seconds: 0.05, steps: 2 };
  await writeFile(path, JSON.stringify(value));
  return [{ value }, { file: path }].map((input, kind) => ({
    ...{ challenge: "chaos", participant: n % keys.length, input, at: 0, manner: "stay" as const },
    ...{ id: `points-${seed}-${n}-${kind}`, name: `${n}-${kind}`, expected: { score } },
  }));
}

const keyOf = ({ keys }: World, { n }: Stop) => keys[n % keys.length]!;

/** A file of two parts. */
const PARTS: Scenario = {
  steps: ["upload.part"],
  async run(world, stop) {
    const path = join(world.folder, "inputs/large.bin");
    // Written once: what was begun at earlier stops may still read it, and refuses a file that changes.
    if (!existsSync(path)) await writeFile(path, Buffer.alloc(20 * 1024 * 1024, "x"));
    const clients = startClients({
      work: [
        {
          ...{ challenge: "large", participant: stop.n % world.keys.length, input: { file: path }, at: 0 },
          ...{ id: `parts-${world.seed}-${stop.n}`, name: "large", expected: { score: 1 }, manner: "stay" },
        },
      ],
      keys: world.keys,
      brokerUrls: [world.url],
      random: world.random,
      signal: world.signal,
    });
    world.histories.push(...clients.histories);
    await clients.over;
  },
};

const CALLS: Scenario = {
  steps: ["commit.register-call"],
  async run(world, stop) {
    const id = createSubmissionId();
    const key = keyOf(world, stop);
    const body = { challenge: "large", function: "double", items: [{ id, data: { x: 2 } }] };
    await request(world, "POST", "/api/v1/calls", { key, body });
    await submissionThat(world, key, id, ({ state }) => state === "graded");
  },
};

/** A value whose upload is not valid. */
const INVALID_VALUE: Scenario = {
  steps: ["commit.require-value-of"],
  async run(world, stop) {
    await writeTypedChallenge(world.challenges);
    await untilOffered(world, TYPED);
    const key = keyOf(world, stop);
    const id = createSubmissionId();
    const bytes = Buffer.from('{"score": "none"}');
    const sha256 = await digest(bytes);
    const { body } = await request(world, "POST", "/api/v1/submissions", {
      key,
      body: { id, challenge: TYPED, input: { kind: "json", name: null, size: bytes.length, sha256 } },
    });
    for (const part of body.upload.parts)
      await request(world, "PUT", part.url, { bytes, accepted: [200, 201, 409] });
    await request(world, "POST", `/api/v1/submissions/${id}/complete`, {
      ...{ key, body: {}, accepted: [200, 400, 409, 422] },
    });
    await until(world, async () => {
      const found = await request(world, "GET", `/api/v1/submissions/${id}`, { key });
      return found.body.state === "failed";
    });
  },
};

const MODELS: Scenario = {
  steps: ["upload.plan-model", "upload.finish-model"],
  async run(world, stop) {
    const key = keyOf(world, stop);
    const id = createSubmissionId();
    const bytes = Buffer.from(`model ${id}`);
    const models = [{ name: "m.bin", size: bytes.length, sha256: await digest(bytes) }];
    const { body } = await submitValue(world, key, { id, challenge: "large", data: { score: 1 }, models });
    for (const { upload } of body.models)
      for (const part of upload?.parts ?? [])
        await request(world, "PUT", part.url, { bytes, accepted: [200, 201, 409] });
    await request(world, "POST", `/api/v1/submissions/${id}/complete`, { key, body: {} });
    await submissionThat(world, key, id, ({ state }) => state === "graded");
  },
};

/** An upload, and code, that do not arrive by their deadline. */
const OVERDUE: Scenario = {
  steps: ["commit.sweep-deadlines", "commit.sweep-awaited-code"],
  async run(world, stop) {
    const key = keyOf(world, stop);
    const id = createSubmissionId();
    const past = new Date(0).toISOString();
    const isCode = stop.step === "commit.sweep-awaited-code";
    const input = isCode
      ? { kind: "inline", data: { score: 1 } }
      : { kind: "file", name: "a.json", size: 3, sha256: "0".repeat(64) };
    const code = isCode ? { commit: "1".repeat(40), tree: "2".repeat(40), files: 1, bytes: 1 } : undefined;
    await request(world, "POST", "/api/v1/submissions", {
      key,
      body: { id, challenge: isCode ? "strict" : "large", input, ...(code && { code }) },
    });
    const { db } = world.records;
    if (isCode)
      await db
        .updateTable("submission_code")
        .set({ deadline_at: past })
        .where("submission", "=", id)
        .execute();
    else await db.updateTable("submissions").set({ deadline_at: past }).where("id", "=", id).execute();
    await until(world, async () => {
      const { body } = await request(world, "GET", `/api/v1/submissions/${id}`, { key });
      return body.state === "failed" && body.slot === "returned";
    });
  },
};

/**
 * Redis forgets everything while a job runs; the graders end as well for a submission that no grader holds
 * then.
 */
const FLUSHED: Scenario = {
  steps: ["commit.rebuild-queue", "queue.end-rebuild", "commit.recover-queue"],
  async run(world, stop) {
    const [key, id] = await startSlowJob(world, stop);
    if (stop.step === "commit.recover-queue")
      await Promise.all(world.fleet.grader.map((grader) => grader.kill("SIGKILL")));
    await world.fleet.redisCommand("FLUSHALL");
    await submissionThat(world, key, id, ({ state }) => state === "graded");
    // A rebuild waits until graders have reported their jobs again, and may end after this one.
    await until(world, async () => (await world.fleet.redisCommand("EXISTS", "{crowdai}:epoch")) === 1);
  },
};

/**
 * A grader adds its job again to a Redis that forgot it, before the broker has noticed, which would publish
 * it again itself.
 */
const ADDED_AGAIN: Scenario = {
  steps: ["queue.add-again"],
  async run(world, stop) {
    const [key, id] = await startSlowJob(world, stop);
    const { broker, env, redisCommand } = world.fleet;
    await broker[0]!.kill("SIGSTOP");
    try {
      await redisCommand("FLUSHALL");
      const end = performance.now() + HEARTBEAT_MS;
      await until(world, async () => !existsSync(env.CROWDAI_CRASH_FILE!) || performance.now() > end);
    } finally {
      await broker[0]!.kill("SIGCONT");
    }
    await submissionThat(world, key, id, ({ state }) => state === "graded");
  },
};

/**
 * All graders end; one claims the job when the lease has expired, and it has been in contact with Redis for
 * as long.
 */
const CLAIMED: Scenario = {
  steps: ["queue.claim"],
  async run(world, stop) {
    const [key, id] = await startSlowJob(world, stop);
    await Promise.all(world.fleet.grader.map((grader) => grader.kill("SIGKILL")));
    // The stops that follow may end two more of its graders.
    await until(world, async () => {
      const { body } = await request(world, "GET", `/api/v1/submissions/${id}`, { key });
      return body.state === "graded" || body.error?.code === "gave_up";
    });
  },
};

/** Submits what takes seconds. Resolves with key and id when a grader has begun. */
async function startSlowJob(world: World, stop: Stop): Promise<[key: string, id: string]> {
  const [key, id] = [keyOf(world, stop), createSubmissionId()];
  await submitValue(world, key, { id, challenge: "chaos", data: { score: 1, seconds: 4, steps: 0 } });
  await submissionThat(world, key, id, ({ state }) => state !== "submitted");
  return [key, id];
}

/** A grader is stopped politely, with a job that runs. */
const STOPPED: Scenario = {
  steps: ["queue.return-unseen"],
  async run(world, stop) {
    const grader = world.fleet.grader[stop.n % world.fleet.grader.length]!;
    // One that still starts would end at once.
    await until(world, async () => (await attachedPids(world)).includes(grader.pid));
    const key = keyOf(world, stop);
    const id = createSubmissionId();
    await submitValue(world, key, { id, challenge: "chaos", data: { score: 1, seconds: 0.3, steps: 0 } });
    await grader.kill("SIGTERM");
    await submissionThat(world, key, id, ({ state }) => state === "graded");
  },
};

/** Returns the processes of the graders that Redis lists, by the end of their names. */
async function attachedPids({ fleet }: World): Promise<number[]> {
  const consumers = (await fleet.redisCommand("HKEYS", "{crowdai}:graders")) as string[];
  return consumers.map((name) => Number(/-(\d+):/.exec(name)?.[1]));
}

/** Results with a file and an image. */
const MEDIA: Scenario = {
  steps: ["upload.result-file", "upload.media", "commit.media-maker"],
  // An image whose broker ends three times is given up.
  once: true,
  async run(world, stop) {
    const key = keyOf(world, stop);
    const id = createSubmissionId();
    await submitValue(world, key, { id, challenge: "media", data: { score: 1, n: stop.n } });
    await submissionThat(world, key, id, ({ media, media_dropped }) => {
      if (media_dropped !== null) throw new Error(`${id}: media dropped: ${media_dropped}`);
      return media !== null;
    });
  },
};

/** A session of an agent, whose steps go through the broker to a grader. */
const SESSION: Scenario = {
  steps: [
    ...["channel.ask", "channel.claim", "channel.answer", "channel.leave", "channel.forget"],
    "upload.stored-file",
  ],
  // Stopped again and again, its agent would seem silent.
  once: true,
  async run(world, stop) {
    const { Challenge } = await import("../../../cli/src/index.ts");
    const challenge = await Challenge.open(PLAYED, {
      ...{ apiKey: keyOf(world, stop), broker: world.url, signal: world.signal, lostAfterMs: 600_000 },
    });
    try {
      const env = await challenge.environment<number[], number[]>();
      let steps = 0;
      for (let seen = await env.reset(); seen; seen = await env.reset())
        for (let done = false; !done; steps++) ({ done } = await env.step([0.5, 0]));
      const { score } = await env.submit();
      if (steps !== 2 * 3 || Math.abs(score! - 1.5) > 1e-9)
        throw new Error(`${env.id}: ${steps} steps, score ${score}`);
    } finally {
      await challenge.close();
    }
  },
};

const WEBHOOK: Scenario = {
  steps: ["claim.webhook", "send.webhook"],
  async run(world, stop) {
    const key = keyOf(world, stop);
    const id = createSubmissionId();
    await submitValue(world, key, { id, challenge: "hooked", data: { score: 1, seconds: 0, steps: 0 } });
    await submissionThat(world, key, id, ({ state }) => state === "graded");
    // A message may come twice, with one id.
    await until(world, async () => world.webhooks.messagesAbout(id).size > 0);
    await sleep(0);
    if (world.webhooks.messagesAbout(id).size > 1) throw new Error(`${id}: two messages about one grade`);
  },
};

/**
 * When the broker starts, it writes the webhooks of its challenges, and removes those that they no longer
 * have.
 */
const STARTED: Scenario = {
  steps: ["commit.record-webhooks"],
  async run(world, { n }) {
    const { db } = world.records;
    const url = `http://127.0.0.1:1/${n}`;
    const old = { challenge: "hooked", url, events: "[]", created_at: new Date().toISOString() };
    await db
      .insertInto("webhooks")
      .values({ ...old, missing_since: null })
      .execute();
    await world.fleet.broker[0]!.kill("SIGKILL");
    await until(
      world,
      async () => !(await db.selectFrom("webhooks").select("id").where("url", "=", url).executeTakeFirst()),
    );
  },
};

export const ABOUT_SUBMISSIONS: readonly Scenario[] = [
  ...[SUBMISSIONS, PARTS, CALLS, INVALID_VALUE, MODELS, OVERDUE, FLUSHED, ADDED_AGAIN, CLAIMED],
  ...[STOPPED, MEDIA, SESSION, WEBHOOK, STARTED],
];

async function digest(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes))).toString("hex");
}
