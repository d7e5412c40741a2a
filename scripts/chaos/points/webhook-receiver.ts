import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** Takes the messages of webhooks. */
export interface WebhookReceiver {
  readonly url: string;
  /** Ids of the messages about a submission. */
  messagesAbout(submission: string): ReadonlySet<string>;
  close(): Promise<void>;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const taken: { id: string; body: string }[] = [];
  const server = createServer(async (message, response) => {
    taken.push({ id: String(message.headers["webhook-id"]), body: await text(message).catch(() => "") });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    messagesAbout: (submission) =>
      new Set(taken.filter(({ body }) => body.includes(submission)).map(({ id }) => id)),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
