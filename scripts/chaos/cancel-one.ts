import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 100;

/**
 * Submits a value that takes long, twice, and cancels it, trying each again until the broker has answered.
 */
export async function cancelOne(broker: string, key: string, id: string, signal: AbortSignal): Promise<void> {
  const value = { score: 0, seconds: 5, steps: 0 };
  const intent = { id, challenge: "chaos", input: { kind: "inline", data: value } };
  await untilAnswered("", intent);
  await untilAnswered("", intent);
  await untilAnswered(`/${id}/cancel`, {});

  async function untilAnswered(path: string, body: object): Promise<void> {
    while (!signal.aborted) {
      const status = await fetch(`${broker}/api/v1/submissions${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify(body),
        signal,
      }).then(
        async (response) => {
          await response.body?.cancel();
          return response.status;
        },
        () => 503,
      );
      if (status < 500) return;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
}
