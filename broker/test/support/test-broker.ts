import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IntentRequest, Receipt, Session } from "@crowdai/shared";
import { createSubmissionId } from "@crowdai/shared";
import { type Logger, pino } from "pino";
import { io, type Socket } from "socket.io-client";
import type { WebappTimes } from "../../src/background/webapp/remote/remote-webapp.ts";
import { recordsFile } from "../../src/base/config.ts";
import { addParticipant } from "../../src/domain/participants/api-keys.ts";
import { type Broker, type BrokerOptions, createBroker, readConfig } from "../../src/index.ts";
import { openRecords } from "../../src/records/open.ts";
import type { Records } from "../../src/records/records.ts";
import type { Intervals } from "../../src/startup/scheduler.ts";
import { writeMigratedSqlite } from "./migrated-sqlite.ts";

/** An evaluator in sh or Python: returns `input.data.score`, or does what `input.data.do` names. */
const EVALUATOR = `
import json, os, sys, time
for line in sys.stdin:
    job = json.loads(line)
    source = job["input"]
    if "path" in source:
        with open(source["path"]) as file:
            given = {"score": float(file.read())}
    else:
        given = source["data"]
    say = lambda **event: print(json.dumps({"id": job["id"], **event}), flush=True)
    if job["function"] == "evaluate":
        say(type="result", score=given["x"] * 2, data={"x": given["x"], "round": job["round"]})
        continue
    for percent in given.get("progress", []):
        say(type="progress", percent=percent, message="step")
    if "hold" in given:
        open(given["hold"] + ".started", "w").close()
        while not os.path.exists(given["hold"]):
            time.sleep(0.01)
    if "reject" in given:
        say(type="error", message=given["reject"])
    elif "crash" in given:
        sys.exit(3)
    else:
        more = {"score_final": given["final"]} if "final" in given else {}
        say(type="result", score=given["score"], score_secondary=given.get("secondary"), message=given.get("message"),
            data=given.get("data"), **more)
`;

/** Short intervals, because tests wait for scheduled jobs. */
const QUICK = {
  deadlines: 1000,
  challenges: 500,
  graders: 250,
  regrades: 300,
  windows: 250,
  media: 300,
};

export interface TestBroker {
  broker: Broker;
  folder: string;
  key: string;
  records: Records;
  connect(options?: { key?: string; challenge?: string }): Promise<TestClient>;
  addParticipant(name: string): Promise<string>;
  /** Restarts with this environment, or the same one; `meanwhile` runs while the broker is stopped. */
  restart(env?: Record<string, string>, meanwhile?: () => Promise<void>): Promise<void>;
  fetch(path: string, options?: { key?: string | null; method?: string; body?: unknown }): Promise<Response>;
  close(): Promise<void>;
}

export interface TestClient {
  socket: Socket;
  session: Session;
  ask<T>(event: string, message: unknown): Promise<T>;
  submit(intent: Partial<IntentRequest> & Pick<IntentRequest, "input">): Promise<Receipt>;
}

/**
 * Writes a challenge folder. `config` overrides a default that accepts files and JSON values and has a
 * persistent evaluator.
 */
export async function writeChallenge(
  challenges: string,
  config: Record<string, unknown> = {},
): Promise<string> {
  const folder = join(challenges, String(config.id ?? "test"));
  await mkdir(folder, { recursive: true });
  const whole = {
    id: "test",
    title: "A test",
    score: { title: "Score", order: "descending", precision: 3 },
    evaluator: { command: ["python3", "evaluate.py"], mode: "persistent", functions: ["submit", "evaluate"] },
    ...config,
  };
  await writeFile(join(folder, "challenge.json"), JSON.stringify(whole));
  await writeFile(join(folder, "evaluate.py"), EVALUATOR);
  await chmod(join(folder, "evaluate.py"), 0o755);
  return folder;
}

/** Starts a broker with its grader in this process, on a free port and in a temporary folder. */
export async function startBroker(
  options: {
    challenges?: Record<string, unknown>[];
    withGrader?: boolean;
    /** A free one by default. */
    port?: number;
    clock?: () => Date;
    env?: Record<string, string>;
    log?: Logger;
    webappTimes?: WebappTimes;
    webhookOptions?: BrokerOptions["webhookOptions"];
    pacedCodeHost?: boolean;
    /** Grades instead of the embedded grader. */
    runGrader?: BrokerOptions["runGrader"];
    /** Intervals other than the short ones. */
    intervals?: Partial<Intervals>;
    /** Changes the folder before the broker reads it. */
    prepare?: (folder: string) => Promise<void>;
  } = {},
): Promise<TestBroker> {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-broker-"));
  for (const config of options.challenges ?? [{}]) await writeChallenge(join(folder, "challenges"), config);
  await options.prepare?.(folder);
  const configOf = (env: Record<string, string> = {}) =>
    readConfig(
      {
        port: options.port ?? 0,
        data: join(folder, "data"),
        challenges: join(folder, "challenges"),
        withGrader: options.withGrader ?? true,
      },
      { LOG_LEVEL: "silent", ...env },
      folder,
    );
  let config = configOf(options.env);
  const log = options.log ?? pino({ level: "silent" });
  const { clock, webappTimes, webhookOptions, pacedCodeHost, runGrader } = options;
  const start = () =>
    createBroker({
      config,
      log,
      ...(clock ? { clock } : {}),
      ...(webappTimes ? { webappTimes } : {}),
      ...(webhookOptions ? { webhookOptions } : {}),
      ...(runGrader ? { runGrader } : {}),
      ...(pacedCodeHost === undefined ? {} : { pacedCodeHost }),
      intervals: { ...QUICK, ...options.intervals },
    });
  if (!config.databaseUrl) await writeMigratedSqlite(recordsFile(config.dataFolder));
  let broker = await start();
  const records = await openRecords(config);
  const add = (name: string) => addParticipant(records, name, new Date().toISOString());
  const key = await add("ada");
  const sockets = new Set<Socket>();

  return {
    get broker() {
      return broker;
    },
    folder,
    key,
    records,
    addParticipant: add,
    async restart(env, meanwhile) {
      await broker.stop();
      await meanwhile?.();
      if (env) config = configOf(env);
      broker = await start();
    },
    async connect(as = {}) {
      const { origin, pathname } = new URL(broker.url);
      const socket = io(origin, {
        path: `${pathname.replace(/\/$/, "")}/socket.io/`,
        transports: ["websocket"],
        reconnection: false,
        auth: { apiKey: as.key ?? key, challenge: as.challenge ?? "test", client: "test" },
      });
      sockets.add(socket);
      const session = await new Promise<Session>((resolve, reject) => {
        socket.once("session", resolve);
        socket.once("connect_error", (error) => reject((error as Error & { data?: unknown }).data ?? error));
      });
      const ask = async <T>(event: string, message: unknown): Promise<T> => {
        const answer = await socket.timeout(20_000).emitWithAck(event, message);
        if (!answer.ok) throw answer.error;
        return answer.value;
      };
      return {
        socket,
        session,
        ask,
        submit: (intent) => ask("submit", { id: createSubmissionId(), challenge: "test", ...intent }),
      };
    },
    fetch: (path, { key: as = key, method = "GET", body } = {}) =>
      fetch(`${broker.url}${path}`, {
        method,
        headers: { ...(as ? { authorization: `Bearer ${as}` } : {}), "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async close() {
      for (const socket of sockets) socket.disconnect();
      await records.close();
      await broker.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Collects the events of a submission until the last one, as a watching client receives them. */
export async function untilEnd(
  client: TestClient,
  id: string,
  after = 0,
): Promise<{ seq: number; type: string; data: Record<string, unknown> }[]> {
  const seen = new Map<number, { seq: number; type: string; data: Record<string, unknown> }>();
  const { promise, resolve } = Promise.withResolvers<void>();
  const take = (event: { submission: string; seq: number; type: string; data: Record<string, unknown> }) => {
    if (event.submission !== id) return;
    seen.set(event.seq, event);
    if (["graded", "failed", "cancelled"].includes(event.type)) resolve();
  };
  client.socket.on("event", ({ event }) => take(event));
  const { events } = await client.ask<{ events: Parameters<typeof take>[0][] }>("watch", { id, after });
  for (const event of events) take(event);
  await promise;
  return [...seen.values()].sort((a, b) => a.seq - b.seq);
}
