import { setTimeout as sleep } from "node:timers/promises";
import { Challenge, CrowdaiError, type SubmissionEvent } from "../../cli/src/index.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { PlannedSubmission } from "./submission-plan.ts";

/** The events of one submission as one client saw them. */
export interface History {
  work: PlannedSubmission;
  acknowledged: boolean;
  /** As the client was given them, in that order. */
  events: SubmissionEvent[];
  /** A refusal that no later try can change. */
  refusal: string | null;
}

export interface Clients {
  readonly histories: readonly History[];
  /** Errors that clients received and survived by retrying, by code. */
  readonly retriedErrors: ReadonlyMap<string, number>;
  /** Resolves when every submission has its last event, or the signal is aborted. */
  readonly over: Promise<void>;
  pending(): number;
  /** Gives up no more sessions. On a machine that is busy, an upload may take longer than one of them. */
  settle(): void;
}

interface ClientsOptions {
  work: readonly PlannedSubmission[];
  /** API key of each participant. */
  keys: readonly string[];
  brokerUrls: readonly string[];
  random: SeededRandom;
  signal: AbortSignal;
}

/** After so long at the most a session is given up for one through another door. */
const MAX_SESSION_MS = 10_000;
/**
 * After a failed try; twice as long after each further one. Thousands that all knock at once would keep a
 * fleet from rising.
 */
const PAUSE_MS = 200;
const MAX_PAUSE_MS = 8000;
/**
 * More come late: thousands that watch through a few sessions would do nothing but ask again, and little
 * would be hit half-way.
 */
const MAX_CONCURRENT = 200;

/** A session of one participant, which several of her submissions use at the same time. */
interface SharedSession {
  opening: Promise<Challenge>;
  until: number;
}

/** Errors after which a session may be of no more use. */
const SESSION_LOST = new Set(["broker_lost", "broker_unreachable", "interrupted"]);

const sessionKey = ({ participant, challenge }: Pick<PlannedSubmission, "participant" | "challenge">) =>
  `${participant} ${challenge}`;

/**
 * Participants that submit through the public library, each at its time or soon after, and follow what they
 * submitted to its end.
 */
export function startClients({ work, keys, brokerUrls, random, signal }: ClientsOptions): Clients {
  const retriedErrors = new Map<string, number>();
  const histories: History[] = work.map((one) => ({
    work: one,
    acknowledged: false,
    events: [],
    refusal: null,
  }));
  const sessions = new Map<string, SharedSession>();
  const began = performance.now();
  let settling = false;
  let running = histories.length;

  function sessionOf({ participant, challenge }: PlannedSubmission): SharedSession {
    const key = sessionKey({ participant, challenge });
    const known = sessions.get(key);
    if (known && (settling ? known.until > 0 : performance.now() < known.until)) return known;
    // Submissions under way in it are interrupted, and continue through the new one.
    known?.opening.then((session) => session.close()).catch(() => {});
    const opening = open({ participant, challenge });
    const mine = { opening, until: performance.now() + random.between(1000, MAX_SESSION_MS) };
    sessions.set(key, mine);
    opening.catch(() => sessions.get(key) === mine && sessions.delete(key));
    return mine;
  }

  const open = ({ participant, challenge }: Pick<PlannedSubmission, "participant" | "challenge">) =>
    Challenge.open(challenge, {
      apiKey: keys[participant]!,
      broker: random.pick(brokerUrls),
      signal,
      lostAfterMs: 20_000,
      transport: random.happens(0.1) ? "http" : "auto",
    });

  async function live(history: History): Promise<void> {
    const { work } = history;
    await sleep(Math.max(0, began + work.at - performance.now()), undefined, { signal });
    await persist(history, async (session) => {
      const sessions = work.manner === "twice" ? [session, await open(work)] : [session];
      try {
        const options = { id: work.id, wait: false } as const;
        await Promise.all(
          sessions.map((session) =>
            "file" in work.input
              ? session.submitFile(work.input.file, options)
              : session.submitValue(work.input.value, options),
          ),
        );
        history.acknowledged = true;
      } finally {
        await sessions[1]?.close();
      }
    });
    if (!history.acknowledged) return;
    if (work.manner === "leave") await sleep(5000, undefined, { signal });
    await persist(history, async (session) => {
      for await (const event of session.watch(work.id, { after: history.events.at(-1)?.seq ?? 0 }))
        history.events.push(event);
    });
  }

  /** Goes on trying as long as the fault is not this client's own. */
  async function persist(history: History, attempt: (session: Challenge) => Promise<void>): Promise<void> {
    for (let tries = 0; !signal.aborted; tries++) {
      const session = sessionOf(history.work);
      try {
        return await attempt(await session.opening);
      } catch (thrown) {
        const code = thrown instanceof CrowdaiError ? thrown.code : String(thrown);
        if (signal.aborted) return;
        // It was accepted at an earlier try, whose answer was lost, and has ended since.
        if (code === "rejected" && !history.acknowledged) {
          history.acknowledged = true;
          return;
        }
        const lasting =
          !(thrown instanceof CrowdaiError) || (thrown.fault !== "platform" && code !== "interrupted");
        if (lasting) {
          history.refusal = `${code}: ${(thrown as Error).message}`;
          return;
        }
        retriedErrors.set(code, (retriedErrors.get(code) ?? 0) + 1);
        // Of this session, and not of one that has replaced it: each would end what the others had just
        // begun, for ever.
        if (SESSION_LOST.has(code)) session.until = 0;
        const longest = Math.min(PAUSE_MS * 2 ** tries, MAX_PAUSE_MS);
        await sleep(longest * (0.5 + random.next()), undefined, { signal }).catch(() => {});
      }
    }
  }

  const coming = histories.values();
  async function submitLoop(): Promise<void> {
    for (const history of coming) {
      await live(history).catch((error) => {
        if (!signal.aborted) history.refusal = String(error);
      });
      running--;
    }
  }

  const over = Promise.all(Array.from({ length: MAX_CONCURRENT }, submitLoop)).then(async () => {
    for (const { opening } of sessions.values()) await opening.then((one) => one.close()).catch(() => {});
  });
  return {
    histories,
    retriedErrors,
    over,
    pending: () => running,
    settle() {
      settling = true;
    },
  };
}
