import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { io, type Socket } from "socket.io-client";
import { startBroker } from "../lib/running-broker.ts";
import type { Figure } from "./figure.ts";
import { createPlayground } from "./playground.ts";

const WATCHERS = 10_000;
const BATCH_SIZE = 100;
const TARGET_KB = 20;

/**
 * Measures the resident memory that 10,000 idle clients that watch a submission cost the broker, and a bare
 * socket.io server beside it.
 */
export async function measureWatchers(): Promise<Figure[]> {
  const watching = await atBroker();
  const bare = await atBareServer();
  return [
    {
      name: `idle watcher, resident, of ${WATCHERS}`,
      value: watching,
      unit: "KB",
      target: `≤ ${TARGET_KB} KB`,
      met: watching <= TARGET_KB,
    },
    { name: "idle client of a bare socket.io server", value: bare, unit: "KB" },
  ];
}

async function atBroker(): Promise<number> {
  const playground = createPlayground();
  const broker = await startBroker({ ...playground, withGrader: false });
  try {
    const apiKey = await broker.addParticipant("bench");
    const auth = { apiKey, challenge: "echo", client: "bench" };
    const [first] = await connect(broker.url, 1, auth);
    const intent = {
      id: "bench-watched-1",
      challenge: "echo",
      input: { kind: "inline", data: { value: 1 } },
    };
    await first!.emitWithAck("submit", intent);
    return await cost(broker.process.pid!, broker.url, auth, (socket) =>
      socket.emitWithAck("watch", { id: intent.id }),
    );
  } finally {
    await broker.stop();
    playground.remove();
  }
}

async function atBareServer(): Promise<number> {
  const server = spawn(process.execPath, [join(import.meta.dirname, "echo-server.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [port] = await once(server.stdout, "data");
    return await cost(server.pid!, `http://127.0.0.1:${Number(port)}`, {}, async () => {});
  } finally {
    server.kill();
  }
}

/** Growth of a process's resident memory for each client, in KB. */
async function cost(
  pid: number,
  url: string,
  auth: Record<string, string>,
  watch: (socket: Socket) => Promise<unknown>,
): Promise<number> {
  await Promise.all((await connect(url, BATCH_SIZE, auth)).map(watch)); // what the first ones cost is the server's own
  const before = resident(pid);
  const sockets: Socket[] = [];
  for (let made = 0; made < WATCHERS; made += BATCH_SIZE) {
    const batch = await connect(url, BATCH_SIZE, auth);
    await Promise.all(batch.map(watch));
    sockets.push(...batch);
  }
  await new Promise((settled) => setTimeout(settled, 3000));
  const grown = resident(pid) - before;
  for (const socket of sockets) socket.close();
  return grown / WATCHERS;
}

function connect(url: string, count: number, auth: Record<string, string>): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, () => {
      const socket = io(url, { transports: ["websocket"], forceNew: true, auth });
      return new Promise<Socket>((resolve, reject) => {
        socket.once("connect", () => resolve(socket));
        socket.on("connect_error", (error: Error & { data?: { code?: string } }) => {
          // A key may open 375 sessions a second, and a quiet machine is faster.
          if (error.data?.code === "too_many_requests") setTimeout(() => socket.connect(), 1000);
          else reject(error);
        });
      });
    }),
  );
}

function resident(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)?.[1]);
}
