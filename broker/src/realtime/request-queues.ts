import type { Socket } from "socket.io";

/** Requests of one session that are handled at the same time. */
const AT_ONCE = 64;
/** Those that wait for a grader, which cost the broker nothing while they do. */
export const WAITING_AT_ONCE = 1024;
/**
 * Requests of one session that start in the same turn of the event loop. With fewer, submissions that arrive
 * together would each wait for a commit of their own: with one, the broker accepts 460 a second instead of
 * 1,150.
 */
export const AT_A_TURN = 16;

interface Queue {
  running: number;
  waiting: (() => Promise<void>)[];
}

/** Starts the requests of each session in order. */
export interface RequestQueues {
  add(socket: Pick<Socket, "connected">, work: () => Promise<void>): void;
}

/**
 * Few requests of a session start in each turn of the event loop: thousands that arrive in one packet would
 * otherwise all be handled before any request of another session. Those of a session that has ended are
 * dropped.
 */
export function createRequestQueues(atOnce: number = AT_ONCE): RequestQueues {
  const queues = new WeakMap<object, Queue>();
  /** Sessions with requests that may start in the next turn. */
  const ready = new Map<Pick<Socket, "connected">, Queue>();

  // Also the first ones wait for the turn: under Bun, each message that arrived would otherwise be handled
  // and committed before the next one is read.
  function prepare(socket: Pick<Socket, "connected">, queue: Queue): void {
    if (queue.waiting.length === 0 || queue.running >= atOnce) return;
    if (ready.size === 0) setImmediate(startAll);
    ready.set(socket, queue);
  }

  function startAll(): void {
    const turn = [...ready];
    ready.clear();
    for (const [socket, queue] of turn) {
      if (!socket.connected) queue.waiting = [];
      const count = Math.min(AT_A_TURN, atOnce - queue.running);
      for (const work of queue.waiting.splice(0, count)) start(socket, queue, work);
      prepare(socket, queue);
    }
  }

  function start(socket: Pick<Socket, "connected">, queue: Queue, work: () => Promise<void>): void {
    queue.running++;
    void work().finally(() => {
      queue.running--;
      prepare(socket, queue);
    });
  }

  return {
    add(socket, work) {
      const queue = queues.get(socket) ?? { running: 0, waiting: [] };
      queues.set(socket, queue);
      queue.waiting.push(work);
      prepare(socket, queue);
    },
  };
}
