import { setTimeout as sleep } from "node:timers/promises";
import type { Socket } from "socket.io-client";
import { startBroker } from "../lib/running-broker.ts";
import { type Figure, quantile } from "./figure.ts";
import { createPlayground } from "./playground.ts";
import { connectSocket, submitValue } from "./socket-client.ts";

const WARM_UP = 500;
const SUBMISSIONS = 4000;
const SOCKETS = 8;
/** Submissions that wait for their acknowledgement on each socket. */
const IN_FLIGHT = 8;
const TARGET_PER_SECOND = 1000;
const TARGET_P99_MS = 50;

/**
 * Submissions a second that a broker on SQLite acknowledges, each committed to disk before; nothing grades
 * meanwhile.
 */
export async function measureAccepts(): Promise<Figure[]> {
  const playground = createPlayground();
  const broker = await startBroker({ ...playground, withGrader: false });
  try {
    // One key each: the broker limits the rate of a key.
    const sockets = await Promise.all(
      Array.from({ length: SOCKETS }, async (_, index) =>
        connectSocket(broker.url, await broker.addParticipant(`bench-${index}`)),
      ),
    );
    await submit(sockets, WARM_UP);
    const began = performance.now();
    await submit(sockets, SUBMISSIONS);
    const perSecond = SUBMISSIONS / ((performance.now() - began) / 1000);
    const p99 = quantile(await submitAtPace(sockets, SUBMISSIONS), 0.99);
    for (const socket of sockets) socket.close();
    return [
      {
        name: `durable accepts on SQLite, ${SOCKETS * IN_FLIGHT} in flight`,
        value: perSecond,
        unit: "/s",
        target: `at least ${TARGET_PER_SECOND}`,
        met: perSecond >= TARGET_PER_SECOND,
      },
      {
        name: `  at ${TARGET_PER_SECOND} a second, intent to acknowledgement, p99`,
        value: p99,
        unit: "ms",
        target: `≤ ${TARGET_P99_MS} ms`,
        met: p99 <= TARGET_P99_MS,
      },
    ];
  } finally {
    await broker.stop();
    playground.remove();
  }
}

/** As many as the broker takes. */
async function submit(sockets: readonly Socket[], count: number): Promise<void> {
  let left = count;
  const requestLoop = async (socket: Socket) => {
    while (left-- > 0) await submitValue(socket, left);
  };
  await Promise.all(
    sockets.flatMap((socket) => Array.from({ length: IN_FLIGHT }, () => requestLoop(socket))),
  );
}

/**
 * TARGET_PER_SECOND, whether the broker is done with the ones before or not. Resolves to the milliseconds
 * that each waited.
 */
async function submitAtPace(sockets: readonly Socket[], count: number): Promise<number[]> {
  const asked: Promise<number>[] = [];
  const began = performance.now();
  while (asked.length < count) {
    const due = Math.min(count, ((performance.now() - began) / 1000) * TARGET_PER_SECOND);
    while (asked.length < due) asked.push(submitValue(sockets[asked.length % sockets.length]!, asked.length));
    await sleep(1);
  }
  return Promise.all(asked);
}
