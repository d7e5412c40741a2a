import { createHmac } from "node:crypto";

const PREFIX = "whsec_";

/** Derives the secret of a challenge's webhook from the installation's, in the form of Standard Webhooks. */
export function webhookSecret(
  installation: string,
  { challenge, url }: { challenge: string; url: string },
): string {
  return `${PREFIX}${createHmac("sha256", installation).update(`${challenge}\n${url}`).digest("base64")}`;
}

/** Returns the header webhook-signature of a message. */
export function signatureOf(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.slice(PREFIX.length), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}

/** Returns the header webhook-id: every try of a message has the same one, and it contains no dot. */
export function messageId(
  installation: string,
  { webhook, event, subject }: { webhook: number; event: string; subject: string },
): string {
  const digest = createHmac("sha256", installation).update(`${webhook}\n${event}\n${subject}`).digest("hex");
  return `msg_${digest.slice(0, 32)}`;
}
