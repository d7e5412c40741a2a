import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { io } from "socket.io-client";
import { root } from "../lib/root.ts";
import { startBroker } from "../lib/running-broker.ts";
import { type Figure, median, quantile } from "./figure.ts";
import { createPlayground } from "./playground.ts";

const WARM_UP = 50;
const SAMPLES = 300;
const TARGET_MS = 15;

/**
 * From `submit()` to the grade in the library, and a bare socket.io message beside it, both to another
 * process on loopback.
 */
export async function measureRoundTrip(): Promise<Figure[]> {
  const graded = await throughBrokerAndGrader();
  const bare = await throughSocketAlone();
  return [
    {
      name: "JSON submission to grade, median",
      value: median(graded),
      unit: "ms",
      target: `≤ ${TARGET_MS} ms`,
      met: median(graded) <= TARGET_MS,
    },
    { name: "JSON submission to grade, p99", value: quantile(graded, 0.99), unit: "ms" },
    { name: "bare socket.io round trip, median", value: median(bare), unit: "ms" },
    { name: "bare socket.io round trip, p99", value: quantile(bare, 0.99), unit: "ms" },
  ];
}

async function throughBrokerAndGrader(): Promise<number[]> {
  const playground = createPlayground();
  const broker = await startBroker(playground);
  try {
    const apiKey = await broker.addParticipant("bench");
    const library: typeof import("../../cli/src/index.ts") = await import(join(root, "cli/dist/index.js"));
    await using challenge = await library.Challenge.open("echo", { apiKey, broker: broker.url });
    return await sample(async (value) => {
      const { score } = await challenge.submit({ value });
      if (score !== value) throw new Error(`the score is ${score} instead of ${value}`);
    });
  } finally {
    await broker.stop();
    playground.remove();
  }
}

async function throughSocketAlone(): Promise<number[]> {
  const server = spawn(process.execPath, [join(import.meta.dirname, "echo-server.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = await once(server.stdout, "data");
  const socket = io(`http://127.0.0.1:${Number(port)}`, { transports: ["websocket"] });
  try {
    return await sample((value) => socket.emitWithAck("submit", { value }));
  } finally {
    socket.close();
    server.kill();
  }
}

/** Milliseconds of each call, one after another, after a warm-up. */
async function sample(work: (value: number) => Promise<unknown>): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < WARM_UP + SAMPLES; i++) {
    const began = performance.now();
    await work(i);
    if (i >= WARM_UP) samples.push(performance.now() - began);
  }
  return samples;
}
