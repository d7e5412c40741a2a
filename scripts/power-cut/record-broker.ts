import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Challenge } from "../../cli/src/index.ts";
import { writeChaosChallenge } from "../chaos/chaos-challenge.ts";
import { root } from "../lib/root.ts";
import { withoutBrokerSettings } from "../lib/running-broker.ts";
import { freePorts, startDaemon } from "../services/daemon.ts";
import { recording, traceEnds } from "./trace.ts";

/** A message that a client received, and when. */
export interface Acknowledgment {
  id: string;
  /** Seconds since 1970. */
  accepted: number;
  graded: number;
  score: number;
  /** SHA-256 of its file; null for a value. */
  file: string | null;
}

export interface Recording {
  trace: string;
  /** The folder whose changes were recorded. It was empty, and has the data folder of the broker. */
  folder: string;
  acknowledgments: readonly Acknowledgment[];
}

const AT_ONCE = 8;

/** Records what a broker with SQLite and folders does to its files while clients submit values and files. */
export async function recordBroker(options: {
  folder: string;
  submissions: number;
  runtime: string;
}): Promise<Recording> {
  const { folder, submissions, runtime } = options;
  const [state, trace, keyFile] = ["state", "trace", "key"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(state);
  const data = join(state, "data");
  const challenges = join(folder, "challenges");
  await writeChaosChallenge(challenges);
  const port = await freePorts();
  const url = `http://127.0.0.1:${port}`;
  // Node.js would not be seen using files through a ring. (It has one for its sockets all the same.)
  const env = { ...withoutBrokerSettings(), LOG_LEVEL: "info", TMPDIR: folder, UV_USE_IO_URING: "0" };
  const command = `"$0" "$1" participant add participant --data "$2" > "$3" && exec "$0" "$1" start --with-grader --host 127.0.0.1 --port "$4" --data "$2" --challenges "$5"`;
  const broker = await startDaemon({
    name: "broker",
    folder: join(folder, "logs"),
    argv: [
      "env",
      "-i",
      ...Object.entries(env).map(([name, value]) => `${name}=${value ?? ""}`),
      ...[...recording(trace), "sh", "-c", command],
      ...[runtime, join(root, "broker/dist/bin.js"), data, keyFile, String(port), challenges],
    ],
    ready: async () => (await fetch(`${url}/healthz`)).ok,
  });
  const apiKey = /\S{20,}/.exec(readFileSync(keyFile, "utf8"))![0];
  const session = await Challenge.open("chaos", { apiKey, broker: url });
  const acknowledgments: Acknowledgment[] = [];
  const now = () => (performance.timeOrigin + performance.now()) / 1000;
  const numbers = Array.from({ length: submissions }, (_, index) => index).values();
  async function submitInTurn(): Promise<void> {
    for (const number of numbers) {
      const [id, score] = [`power-cut-${number}`, number / 1000];
      const value = { score, seconds: 0.01 };
      const path = join(folder, `${number}.json`);
      const text = JSON.stringify(value);
      const asFile = number % 3 === 0;
      if (asFile) writeFileSync(path, text);
      const sent = { id, wait: false } as const;
      await (asFile ? session.submitFile(path, sent) : session.submitValue(value, sent));
      const accepted = now();
      await session.wait(id);
      const file = asFile ? createHash("sha256").update(text).digest("hex") : null;
      acknowledgments.push({ id, accepted, graded: now(), score, file });
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, submitInTurn));
  await session.close();
  await broker.stop();
  await traceEnds(trace, broker.pid);
  return { trace, folder: state, acknowledgments };
}
