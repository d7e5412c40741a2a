import { CrowdaiError } from "@crowdai/shared";
import type { Socket as Connection } from "engine.io";
import type { Socket } from "socket.io";

/** So many at once, and so many a second after that. */
interface Rate {
  burst: number;
  perSecond: number;
}

/**
 * A client stays below these that follows thousands of submissions and asks for all of them after a
 * reconnect.
 */
const PER_SOCKET: Rate = { burst: 3000, perSecond: 1000 };
const PER_KEY: Rate = { burst: 6000, perSecond: 1500 };
/** All packets of a connection, also those without an event, such as pings, or before it has a session. */
const PER_CONNECTION: Rate = { burst: 8000, perSecond: 3000 };
/**
 * Requests of agents to their sessions, of a connection and of a key: an agent that steps a fast environment
 * sends thousands a second, each when the last was answered.
 */
const STEPS: Rate = { burst: 20_000, perSecond: 10_000 };
/** A packet with such a request. */
const STEP_PACKET = /^2\d*\["environment:/;
/** Packets that a CONNECT packet counts as: each opens another session over the same connection. */
const CONNECT_COST = 400;
/** Events that opening a session counts as. */
const SESSION_COST = 4;
/**
 * Milliseconds of parsing and handling, less than half of a processor. Beyond that a connection is read more
 * slowly: a message of a megabyte can take as long as ten thousand small ones, and need not be refused for
 * that.
 */
const WORK: Rate = { burst: 500, perSecond: 400 };
/** Shorter than the time after which a client that answers no ping is disconnected. */
const MAX_PAUSE_MS = 5000;
/** Refused events, beyond which a session is ended. */
const REFUSED: Rate = { burst: 100, perSecond: 1 };
/** How long an ended connection may take to receive its answers. */
const LAST_ANSWERS_MS = 2000;
const FORGET_EVERY_MS = 60_000;

interface Bucket {
  left: number;
  at: number;
}

interface KeyBuckets {
  events: Bucket;
  steps: Bucket;
  work: Bucket;
}

/** A WebSocket, as far as reading from it is stopped here. */
interface Pausable {
  pause?: () => void;
  resume?: () => void;
  terminate?: () => void;
}

/** Limits how fast clients may send, so that one of them cannot hold up the others. */
export interface EventRates {
  /**
   * Throws too_many_requests when the key's sessions have sent too much for another session, over this
   * connection.
   */
  admit(key: string, connection: Connection): void;
  /**
   * Returns the refusal of an event that exceeds the rate of its socket or key; null when it may be handled.
   * Steps have a rate of their own.
   */
  refusal(socket: Socket, key: string, options?: { isStep: boolean }): CrowdaiError | null;
  /**
   * Closes a connection whose packets, of whatever kind, exceed the rate; reads one more slowly whose packets
   * cost much time.
   */
  guard(connection: Connection): void;
}

export function createEventRates(monotonic: () => number = () => performance.now()): EventRates {
  const sockets = new WeakMap<Socket, { events: Bucket; refused: Bucket | null }>();
  const keys = new Map<string, KeyBuckets>();
  /** Connections of one key share its bucket. */
  const work = new WeakMap<Connection, Bucket>();
  const paused = new WeakSet<Connection>();
  let forgotAt = monotonic();

  const full = ({ burst }: Rate): Bucket => ({ left: burst, at: monotonic() });

  function refill(bucket: Bucket, { burst, perSecond }: Rate): void {
    const now = monotonic();
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
  }

  function take(bucket: Bucket, rate: Rate, count = 1): boolean {
    refill(bucket, rate);
    if (bucket.left < count) return false;
    bucket.left -= count;
    return true;
  }

  function bucketsOf(key: string): KeyBuckets {
    if (monotonic() - forgotAt > FORGET_EVERY_MS) {
      forgotAt = monotonic();
      for (const [known, { events, steps }] of keys)
        if (forgotAt - Math.max(events.at, steps.at) > FORGET_EVERY_MS) keys.delete(known);
    }
    const buckets = keys.get(key) ?? {
      events: full(PER_KEY),
      steps: full(STEPS),
      work: full(WORK),
    };
    keys.set(key, buckets);
    return buckets;
  }

  function spend(connection: Connection, ms: number): void {
    const bucket = work.get(connection) ?? full(WORK);
    work.set(connection, bucket);
    refill(bucket, WORK);
    bucket.left -= ms;
    const { socket } = connection.transport as { socket?: Pausable };
    if (bucket.left >= 0 || !socket?.pause || paused.has(connection)) return;
    paused.add(connection);
    socket.pause();
    const debtMs = (-bucket.left / WORK.perSecond) * 1000;
    setTimeout(
      () => {
        paused.delete(connection);
        if (connection.readyState === "open") socket.resume?.();
      },
      Math.min(MAX_PAUSE_MS, debtMs),
    ).unref();
  }

  return {
    admit(key, connection) {
      const buckets = bucketsOf(key);
      work.set(connection, buckets.work);
      if (!take(buckets.events, PER_KEY, SESSION_COST)) throw tooMany("Your key opened too many sessions.");
    },

    refusal(socket, key, { isStep } = { isStep: false }) {
      if (isStep && take(bucketsOf(key).steps, STEPS)) return null;
      const known = sockets.get(socket) ?? { events: full(PER_SOCKET), refused: null };
      sockets.set(socket, known);
      if (!isStep && take(known.events, PER_SOCKET) && take(bucketsOf(key).events, PER_KEY)) return null;
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
      const steps = full(STEPS);
      let began = 0;
      connection.on("packet", ({ data }: { data?: unknown }) => {
        began = monotonic();
        const isConnect = typeof data === "string" && data.startsWith("0");
        const isStep = typeof data === "string" && STEP_PACKET.test(data);
        if (isStep ? take(steps, STEPS) : take(bucket, PER_CONNECTION, isConnect ? CONNECT_COST : 1)) return;
        connection.close(true);
        cut(connection);
      });
      // After every handler of "data", in which the packet is parsed and handled.
      connection.on("message", () => spend(connection, monotonic() - began));
    },
  };
}

/**
 * Stops reading, so that what was sent in excess is never parsed, and closes the connection once the client
 * has had time to receive its answers: closed at once, with bytes left unread, it would lose them.
 */
export function cut({ transport }: Pick<Connection, "transport">): void {
  const { socket } = transport as { socket?: Pausable };
  socket?.pause?.();
  setTimeout(() => socket?.terminate?.(), LAST_ANSWERS_MS).unref();
}

const tooMany = (message: string) =>
  new CrowdaiError("too_many_requests", `${message} Wait a second, then continue.`, {
    details: { retry_after_seconds: 1 },
  });
