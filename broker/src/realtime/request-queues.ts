import type { Socket } from "socket.io";

/** Requests of one session that are handled at the same time. */
const AT_ONCE = 64;
/** Those that wait for a grader, which cost the broker nothing while they do. */
export const WAITING_AT_ONCE = 1024;

interface Queue {
  running: number;
  waiting: (() => Promise<void>)[];
  /** Whether a request was started in this turn of the event loop. */
  started: boolean;
}

/** Starts the requests of each session in order. */
export interface RequestQueues {
  add(socket: Pick<Socket, "connected">, work: () => Promise<void>): void;
}

/**
 * At most one request of a session starts in each turn of the event loop: thousands that arrive in one packet would
 * otherwise all be handled before any request of another session. Those of a session that has ended are dropped.
 */
export function createRequestQueues(atOnce: number = AT_ONCE): RequestQueues {
  const queues = new WeakMap<object, Queue>();

  function start(socket: Pick<Socket, "connected">, queue: Queue, work: () => Promise<void>): void {
    queue.started = true;
    queue.running++;
    setImmediate(() => {
      queue.started = false;
      startNext(socket, queue);
    });
    void work().finally(() => {
      queue.running--;
      startNext(socket, queue);
    });
  }

  function startNext(socket: Pick<Socket, "connected">, queue: Queue): void {
    if (queue.started || queue.running >= atOnce) return;
    if (!socket.connected) queue.waiting = [];
    const next = queue.waiting.shift();
    if (next) start(socket, queue, next);
  }

  return {
    add(socket, work) {
      const queue = queues.get(socket) ?? { running: 0, waiting: [], started: false };
      queues.set(socket, queue);
      if (queue.started || queue.running >= atOnce || queue.waiting.length > 0) queue.waiting.push(work);
      else start(socket, queue, work);
    },
  };
}
