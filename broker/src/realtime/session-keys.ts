import type { Socket } from "socket.io";
import type { Caller } from "../domain/participants/api-keys.ts";
import type { Webapp } from "../domain/webapp/webapp.ts";

/** The data kept with the socket of each session. */
export interface SessionKey {
  key: string;
  caller: Caller;
}

/** Keeps the keys of the sessions that are open here. */
export function createSessionKeys(sockets: () => Iterable<Socket>) {
  // Sessions with the same key share one entry.
  let holding = new Map<string, SessionKey>();

  function hold(held: SessionKey): SessionKey {
    const known = holding.get(held.caller.keyHash) ?? held;
    holding.set(held.caller.keyHash, known);
    return known;
  }

  function inUse(): Map<string, string> {
    holding = new Map();
    for (const socket of sockets()) {
      const { caller, key } = socket.data as Partial<SessionKey>;
      if (caller && key) hold(socket.data as SessionKey);
    }
    return new Map([...holding].map(([hash, { key }]) => [hash, key]));
  }

  return {
    hold,
    /** Closes the sessions of revoked keys. */
    async endRevoked(webapp: Pick<Webapp, "ended">): Promise<void> {
      const ended = await webapp.ended(inUse);
      if (ended.size === 0) return;
      for (const socket of sockets())
        if (ended.has((socket.data as Partial<SessionKey>).caller?.keyHash ?? "")) socket.disconnect(true);
    },
  };
}
