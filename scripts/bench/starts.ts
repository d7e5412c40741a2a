import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Leaderboard } from "@crowdai/shared";
import { openSqlite } from "../../broker/src/records/sqlite.ts";
import { startBroker } from "../lib/running-broker.ts";
import { config, fill } from "./board.ts";
import type { Figure } from "./figure.ts";
import { createPlayground } from "./playground.ts";
import { connectSocket, submitValue } from "./socket-client.ts";

export interface StartSize {
  participants: number;
  submissions: number;
  waiting: number;
}
const WHOLE: StartSize = { participants: 100_000, submissions: 1_000_000, waiting: 10_000 };
const TARGET_FIRST_ACCEPT_MS = 1000;
const TARGET_FIRST_GRADE_MS = 2000;
const MAX_SOCKETS = 8;
/** Each needs a participant, which a command of its own adds. */
const MIN_SUBMISSIONS_PER_SOCKET = 10;

/**
 * From the start of a broker's process to its first acknowledgement, without submissions and with many; and
 * from its start after `kill -9` with many submissions waiting to the first grade.
 */
export async function measureStarts(size: StartSize = WHOLE): Promise<Figure[]> {
  const empty = await startToAccept(null);
  const full = await startToAccept(size);
  const grade = await startToGrade(size.waiting);
  const number = (value: number) => value.toLocaleString("en-US");
  return [
    { name: "start to first accept, no submissions", value: empty, unit: "ms" },
    {
      ...{ name: `start to first accept, ${number(size.submissions)} submissions`, value: full, unit: "ms" },
      ...{ target: `≤ ${TARGET_FIRST_ACCEPT_MS} ms`, met: full <= TARGET_FIRST_ACCEPT_MS },
    },
    {
      ...{
        name: `killed with ${number(size.waiting)} waiting: start to first grade`,
        value: grade,
        unit: "ms",
      },
      ...{ target: `≤ ${TARGET_FIRST_GRADE_MS} ms`, met: grade <= TARGET_FIRST_GRADE_MS },
    },
  ];
}

async function startToAccept(size: StartSize | null): Promise<number> {
  const playground = createPlayground();
  try {
    // The first start makes the records, and what a broker makes once.
    const first = await startBroker({ ...playground, withGrader: false });
    const key = await first.addParticipant("bench");
    await first.stop();
    if (size) {
      mkdirSync(join(playground.challenges, "board"));
      writeFileSync(join(playground.challenges, "board/challenge.json"), JSON.stringify(config));
      const records = await openSqlite(join(playground.data, "records.sqlite"));
      await fill(records, size);
      await records.close();
    }
    const began = performance.now();
    const broker = await startBroker({ ...playground, withGrader: false });
    const socket = await connectSocket(broker.url, key);
    await submitValue(socket, 1);
    const took = performance.now() - began;
    socket.close();
    await broker.stop();
    return took;
  } finally {
    playground.remove();
  }
}

async function startToGrade(waiting: number): Promise<number> {
  const playground = createPlayground();
  try {
    const killed = await startBroker({ ...playground, withGrader: false });
    const length = Math.min(MAX_SOCKETS, Math.ceil(waiting / MIN_SUBMISSIONS_PER_SOCKET));
    const sockets = await Promise.all(
      Array.from({ length }, async (_, index) =>
        connectSocket(killed.url, await killed.addParticipant(`bench-${index}`)),
      ),
    );
    let left = waiting;
    const submitAll = async (socket: (typeof sockets)[number]) => {
      while (left-- > 0) await submitValue(socket, left);
    };
    await Promise.all(sockets.map(submitAll));
    killed.process.kill("SIGKILL");
    await once(killed.process, "exit");
    for (const socket of sockets) socket.close();
    const began = performance.now();
    const broker = await startBroker(playground);
    while ((await gradedOn(broker.url)) === 0) await sleep(5);
    const took = performance.now() - began;
    await broker.stop();
    return took;
  } finally {
    playground.remove();
  }
}

async function gradedOn(url: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/challenges/echo/leaderboard?limit=1`);
  return ((await answer.json()) as Leaderboard).rows.length;
}
