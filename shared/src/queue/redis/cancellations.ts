import { type Client, createReconnectingConnection } from "./reconnecting-connection.ts";

const CHECK_MS = 5000;

/**
 * Hears at once what was cancelled or replaced. A message that is missed costs only time: the next heartbeat finds the job gone.
 */
export function listenForCancellations(
  redis: () => Client,
  base: string,
  withdraw: (submission: string, attempt: number) => void,
): { ready: Promise<void>; close(): void } {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const link = createReconnectingConnection({
    redis,
    onReady(client) {
      client.on("message", (_channel: string, message: string) => {
        const [submission, attempt] = message.split(" ");
        if (submission) withdraw(submission, Number(attempt));
      });
      client
        .subscribe(`${base}:control`)
        .catch(() => {})
        .finally(resolve);
    },
    onDisconnect: () => resolve(),
  });
  // Nothing else would show that the connection is dead.
  const check = setInterval(() => void link.use((client) => client.ping()).catch(() => {}), CHECK_MS);
  return {
    ready,
    close() {
      clearInterval(check);
      link.close();
    },
  };
}
