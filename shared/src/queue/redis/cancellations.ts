import { type Client, createReconnectingConnection } from "./reconnecting-connection.ts";

const CHECK_MS = 5000;

/**
 * Listens for cancelled and replaced jobs. A missed message only costs time: the next heartbeat finds that
 * the job is gone.
 */
export function listenForCancellations(
  redis: () => Client,
  base: string,
  withdraw: (submission: string, attempt: number) => void,
): { ready: Promise<void>; close(): void } {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const connection = createReconnectingConnection({
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
  // Nothing else would detect a dead connection.
  const check = setInterval(() => void connection.use((client) => client.ping()).catch(() => {}), CHECK_MS);
  return {
    ready,
    close() {
      clearInterval(check);
      connection.close();
    },
  };
}
