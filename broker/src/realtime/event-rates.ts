import { CrowdaiError } from "@crowdai/shared";
import type { Socket as Connection } from "engine.io";
import type { Socket } from "socket.io";

/** So many at once, and so many a second after that. */
interface Rate {
  burst: number;
  perSecond: number;
}

/** A client stays below these that follows thousands of submissions and asks for all of them after a reconnect. */
const PER_SOCKET: Rate = { burst: 3000, perSecond: 1000 };
const PER_KEY: Rate = { burst: 6000, perSecond: 1500 };
/** All packets of a connection, also those without an event, such as pings, or before it has a session. */
const PER_CONNECTION: Rate = { burst: 8000, perSecond: 3000 };
/** Events that opening a session counts as. */
const SESSION_COST = 4;
/** Refused events, beyond which a session is ended. */
const REFUSED: Rate = { burst: 100, perSecond: 1 };
/** How long an ended connection may take to receive its answers. */
const LAST_ANSWERS_MS = 2000;
const FORGET_EVERY_MS = 60_000;

interface Bucket {
  left: number;
  at: number;
}

/** Limits how fast clients may send, so that one of them cannot hold up the others. */
export interface EventRates {
  /** Throws too_many_requests when the key's sessions have sent too much for another session. */
  admit(key: string): void;
  /** Returns the refusal of an event that exceeds the rate of its socket or key; null when it may be handled. */
  refusal(socket: Socket, key: string): CrowdaiError | null;
  /** Closes a connection whose packets, of whatever kind, exceed the rate. */
  guard(connection: Connection): void;
}

export function createEventRates(monotonic: () => number = () => performance.now()): EventRates {
  const sockets = new WeakMap<Socket, { events: Bucket; refused: Bucket | null }>();
  const keys = new Map<string, Bucket>();
  let forgotAt = monotonic();

  const full = ({ burst }: Rate): Bucket => ({ left: burst, at: monotonic() });

  function take(bucket: Bucket, { burst, perSecond }: Rate, count = 1): boolean {
    const now = monotonic();
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    if (bucket.left < count) return false;
    bucket.left -= count;
    return true;
  }

  function bucketOf(key: string): Bucket {
    if (monotonic() - forgotAt > FORGET_EVERY_MS) {
      forgotAt = monotonic();
      for (const [known, { at }] of keys) if (forgotAt - at > FORGET_EVERY_MS) keys.delete(known);
    }
    const bucket = keys.get(key) ?? full(PER_KEY);
    keys.set(key, bucket);
    return bucket;
  }

  return {
    admit(key) {
      if (!take(bucketOf(key), PER_KEY, SESSION_COST)) throw tooMany("Your key opened too many sessions.");
    },

    refusal(socket, key) {
      const known = sockets.get(socket) ?? { events: full(PER_SOCKET), refused: null };
      sockets.set(socket, known);
      if (take(known.events, PER_SOCKET) && take(bucketOf(key), PER_KEY)) return null;
      const error = tooMany("Your sessions sent too many requests.");
      // Sent once also to clients that ask for no acknowledgement.
      if (known.refused === null) socket.emit("refused", { error: error.toBody() });
      known.refused ??= full(REFUSED);
      if (!take(known.refused, REFUSED)) {
        socket.disconnect(true);
        cut(socket.conn);
      }
      return error;
    },

    guard(connection) {
      const bucket = full(PER_CONNECTION);
      connection.on("packet", () => {
        if (take(bucket, PER_CONNECTION)) return;
        connection.close(true);
        cut(connection);
      });
    },
  };
}

/**
 * Stops reading, so that what was sent in excess is never parsed, and closes the connection once the client has had time to
 * receive its answers: closed at once, with bytes left unread, it would lose them.
 */
function cut({ transport }: Pick<Connection, "transport">): void {
  const { socket } = transport as { socket?: { pause?: () => void; terminate?: () => void } };
  socket?.pause?.();
  setTimeout(() => socket?.terminate?.(), LAST_ANSWERS_MS).unref();
}

const tooMany = (message: string) =>
  new CrowdaiError("too_many_requests", `${message} Wait a second, then continue.`, {
    details: { retry_after_seconds: 1 },
  });
