import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Records } from "../../broker/src/records/records.ts";
import { openSqlite } from "../../broker/src/records/sqlite.ts";
import { createApiKey, hashApiKey } from "../../shared/src/index.ts";
import { startBroker } from "../lib/running-broker.ts";
import { type BoardSize, config, fill } from "./board.ts";
import { type Figure, median, quantile } from "./figure.ts";
import { createPlayground } from "./playground.ts";

const WARM_UP = 100;
const READER = 1;

const WHOLE: BoardSize = { participants: 10_000, submissions: 100_000, samples: 300 };

/**
 * Pages of a challenge with 10,000 participants and 100,000 submissions on SQLite, signed in, one at a time
 * over one connection, from the request to the last byte; beside them a bare Hono server that answers with
 * the same bytes.
 */
export async function measurePages(size: BoardSize = WHOLE): Promise<Figure[]> {
  const playground = createPlayground();
  mkdirSync(join(playground.challenges, "board"));
  writeFileSync(join(playground.challenges, "board/challenge.json"), JSON.stringify(config));
  const records = await openSqlite(join(playground.data, "records.sqlite"));
  await fill(records, size);
  const key = await keyOf(records, READER);
  const own = await submissionsOf(records, READER);
  await records.close();
  const broker = await startBroker({ ...playground, withGrader: false });
  let bare: BareServer | null = null;
  try {
    const cookie = await signIn(broker.url, key);
    const last = Math.ceil(size.participants / 100);
    const pages: [string, (i: number) => string][] = [
      ["challenge page with its board", () => "/challenges/board"],
      ["challenge page, in the middle of the board", (i) => `/challenges/board?page=${1 + (i % last)}`],
      ["a participant's submissions", () => "/submissions"],
      ["submission page", (i) => `/submissions/${own[i % own.length]}`],
    ];
    const figures: Figure[] = [];
    for (const [name, path] of pages) {
      const { took, body } = await read(size.samples, (i) => broker.url + path(i), cookie);
      bare = await startBare(body);
      const { url } = bare;
      const plain = await read(size.samples, () => url, cookie);
      await bare.stop();
      bare = null;
      figures.push(
        { name: `${name}, ${Math.round(body.length / 1024)} KB, median`, value: median(took), unit: "ms" },
        { name: "  p99", value: quantile(took, 0.99), unit: "ms" },
        { name: "  the same bytes from bare Hono, median", value: median(plain.took), unit: "ms" },
      );
    }
    return figures;
  } finally {
    await bare?.stop();
    await broker.stop();
    playground.remove();
  }
}

async function keyOf({ db }: Records, participant: number): Promise<string> {
  const key = createApiKey();
  await db
    .insertInto("api_keys")
    .values({
      hash: hashApiKey(key),
      owner: "participant",
      owner_id: participant,
      created_at: new Date().toISOString(),
      revoked_at: null,
    })
    .execute();
  return key;
}

async function submissionsOf({ db }: Records, participant: number): Promise<string[]> {
  const rows = await db
    .selectFrom("submissions")
    .select("id")
    .where("participant_id", "=", participant)
    .execute();
  return rows.map(({ id }) => id);
}

async function signIn(url: string, key: string): Promise<string> {
  const answer = await fetch(`${url}/sign-in`, {
    method: "POST",
    body: new URLSearchParams({ key }),
    headers: { origin: url },
    redirect: "manual",
  });
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .filter((pair) => !pair?.endsWith("="))
    .join("; ");
}

async function read(samples: number, url: (i: number) => string, cookie: string) {
  const took: number[] = [];
  let body = "";
  for (let i = -Math.min(WARM_UP, samples); i < samples; i++) {
    const began = performance.now();
    const answer = await fetch(url(Math.abs(i)), { headers: { accept: "text/html", cookie } });
    body = await answer.text();
    if (i >= 0) took.push(performance.now() - began);
    if (!answer.ok) throw new Error(`${url(i)} answered ${answer.status}`);
  }
  return { took, body };
}

interface BareServer {
  url: string;
  stop(): Promise<void>;
}

async function startBare(body: string): Promise<BareServer> {
  const server: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, "page-server.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  server.stdin?.end(body);
  const [port] = (await once(server.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return {
    url: `http://127.0.0.1:${port.toString().trim()}/`,
    async stop() {
      server.kill();
      await once(server, "exit");
    },
  };
}
