import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CrowdaiError, type ErrorCode } from "./protocol/errors.ts";

const TIMEOUT_MS = 60_000;
const PAUSE_MS = 1000;

interface RetryOptions {
  timeoutMs?: number;
  pauseMs?: number;
  signal?: AbortSignal;
}

/**
 * Calls `start`, and retries for a minute while a service is unreachable. Prints one message for each such
 * service. Rejects with the reason of the signal on abort, once a `start` that runs has ended.
 */
export async function retryUntilReady<T>(
  start: () => Promise<T>,
  stderr: Writable,
  { timeoutMs = TIMEOUT_MS, pauseMs = PAUSE_MS, signal }: RetryOptions = {},
): Promise<T> {
  const until = performance.now() + timeoutMs;
  let lastCode: ErrorCode | null = null;
  for (;;)
    try {
      signal?.throwIfAborted();
      return await start();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isTransient(error) || performance.now() > until) throw error;
      if (error.code !== lastCode) stderr.write(`${error.message} Waiting for up to a minute …\n`);
      lastCode = error.code;
      // The next attempt reports an abort.
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
}

/**
 * An unreachable service may come up, when all machines start together. A wrong password or name stays wrong.
 */
function isTransient(error: unknown): error is CrowdaiError {
  if (!(error instanceof CrowdaiError)) return false;
  if (error.code === "records_unreachable") return true;
  if (error.code !== "store_unreachable") return false;
  // A store that responds is reachable, unless it reports a server error.
  const answer = error.cause as { $metadata?: { httpStatusCode?: number } } | undefined;
  const status = answer?.$metadata?.httpStatusCode;
  return status === undefined || status >= 500;
}
