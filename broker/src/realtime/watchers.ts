import type { Socket } from "socket.io";

type Listener = Pick<Socket, "connected" | "emit">;

/**
 * The sessions of this broker by the submission they watch. Most submissions have one watcher, and most
 * watchers one submission. A set and a listener for each would account for much of the memory of thousands of
 * idle sessions.
 */
export interface Watchers {
  add(submission: string, socket: Listener): void;
  remove(submission: string, socket: Listener): void;
  has(submission: string): boolean;
  send(submission: string, event: string, message: unknown): void;
  /** Removes all watchers of the submission. */
  end(submission: string): void;
  /** Returns all watched submissions, and removes watchers that have disconnected. */
  submissions(): string[];
}

export function createWatchers(): Watchers {
  const watchers = new Map<string, Listener | Set<Listener>>();

  function all(submission: string): Iterable<Listener> {
    const known = watchers.get(submission);
    if (known === undefined) return [];
    return known instanceof Set ? known : [known];
  }

  function remove(submission: string, socket: Listener): void {
    const known = watchers.get(submission);
    if (known instanceof Set) known.delete(socket);
    if (known === socket || (known instanceof Set && known.size === 0)) watchers.delete(submission);
  }

  return {
    add(submission, socket) {
      const known = watchers.get(submission);
      if (known === undefined || known === socket) watchers.set(submission, socket);
      else if (known instanceof Set) known.add(socket);
      else watchers.set(submission, new Set([known, socket]));
    },
    remove,
    has(submission) {
      for (const socket of all(submission)) if (socket.connected) return true;
      return false;
    },
    send(submission, event, message) {
      for (const socket of all(submission)) if (socket.connected) socket.emit(event, message);
    },
    end: (submission) => void watchers.delete(submission),
    submissions() {
      for (const submission of watchers.keys())
        for (const socket of all(submission)) if (!socket.connected) remove(submission, socket);
      return [...watchers.keys()];
    },
  };
}
