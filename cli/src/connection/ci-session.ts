import { CrowdaiError } from "@crowdai/shared";
import { z } from "zod";
import type { KeyLease } from "../client/session/broker-session.ts";
import type { Settings } from "../config/settings.ts";
import type { Io } from "../terminal/io.ts";
import { type CiTokenSource, ciTokenSource } from "./ci-id-token.ts";
import { connectHttp } from "./connect-http.ts";
import { readStoredSession, storeSession } from "./stored-ci-session.ts";

const sessionSchema = z.object({
  key: z.string(),
  expires_at: z.string(),
  /** In seconds: the clock of this machine may be wrong. */
  expires_in: z.number(),
  participant: z.object({ id: z.number().int(), name: z.string() }),
  subject: z.string(),
  repository: z.string(),
  ref: z.string(),
});
/** The session that a CI job got for its ID token. */
export type CiSession = z.infer<typeof sessionSchema>;

const heldSchema = z.object({ session: sessionSchema, renewAt: z.number() });
/** A session, and when it is replaced, by the clock of this machine. */
type HeldSession = z.infer<typeof heldSchema>;

/** The sessions of this CI job, one after the other. */
export interface CiSessions extends KeyLease {
  /** Returns a session that does not expire within the next minute. */
  current(): Promise<CiSession>;
}

/** A session is replaced this long before it expires; a short one, when half of it is over. */
const RENEW_BEFORE_MS = 60_000;

/**
 * Returns the sessions of a CI job at the broker; null outside of jobs that have ID tokens. Nothing is
 * requested yet.
 */
export function ciSessions(options: {
  io: Pick<Io, "env" | "signal">;
  settings: Pick<Settings, "broker" | "configDir">;
  client: string;
  /** Called with each session's key. */
  onKey?: ((key: string) => void) | undefined;
}): CiSessions | null {
  const source = ciTokenSource(options.io);
  if (!source) return null;
  let held: HeldSession | null = null;
  let opening: Promise<CiSession> | null = null;

  async function open(): Promise<CiSession> {
    held = await exchange(source as CiTokenSource, options, held?.session ?? null);
    options.onKey?.(held.session.key);
    return held.session;
  }
  async function current(): Promise<CiSession> {
    if (held && Date.now() < held.renewAt) return held.session;
    opening ??= open().finally(() => {
      opening = null;
    });
    return opening;
  }
  return {
    current,
    key: async () => (await current()).key,
    latest: () => held?.session.key ?? null,
    expired(key) {
      if (held?.session.key === key) held = { ...held, renewAt: 0 };
    },
    renewAt: () => held?.renewAt ?? 0,
  };
}

/**
 * Returns a session for a token. A token that cannot be requested again is exchanged by one command of its
 * job.
 */
async function exchange(
  source: CiTokenSource,
  { io, settings, client }: Parameters<typeof ciSessions>[0],
  earlier: CiSession | null,
): Promise<HeldSession> {
  const { broker, configDir } = settings;
  const token = await source.token(broker);
  const stored = source.issuesNew
    ? undefined
    : heldSchema.safeParse(await readStoredSession(configDir, broker, token)).data;
  if (stored && stored.session.key !== earlier?.key && Date.now() < stored.renewAt) return stored;
  const renewed = source.issuesNew ? null : (earlier ?? stored?.session ?? null);
  const participant = io.env.CROWDAI_PARTICIPANT?.trim() || undefined;
  const http = await connectHttp({ broker, key: async () => renewed?.key ?? null, client, io });
  try {
    const began = Date.now();
    const session = await http.post("/api/v1/ci/token", { token, participant }, sessionSchema);
    const lasts = session.expires_in * 1000;
    const held = { session, renewAt: began + Math.max(lasts / 2, lasts - RENEW_BEFORE_MS) };
    if (!source.issuesNew) await storeSession(configDir, broker, token, held);
    return held;
  } catch (error) {
    if (!(error instanceof CrowdaiError) || error.code !== "not_found") throw error;
    throw new CrowdaiError("ci_unavailable", `The broker at ${broker} is too old for sessions of CI jobs.`, {
      cause: error,
    });
  }
}
