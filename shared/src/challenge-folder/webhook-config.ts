import { z } from "zod";

/** The events that a webhook can subscribe to. */
export const WEBHOOK_EVENTS = [
  "submission.graded",
  "submission.failed",
  "submission.gave_up",
  "challenge.closing",
  "challenge.closed",
  "grader.missing",
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** Most webhooks of one challenge. */
const MAX_WEBHOOKS = 20;

/** `webhooks` of challenge.json: addresses that receive what happens in the challenge. */
export const webhooksSchema = z
  .array(
    z.strictObject({
      url: z
        .string()
        .max(2000)
        .refine(isWebhookUrl, "an http:// or https:// address without a user, a password and a fragment")
        .describe("Address that receives a POST request for each event."),
      events: z
        .array(z.enum(WEBHOOK_EVENTS))
        .min(1)
        .default(() => [...WEBHOOK_EVENTS])
        .describe("Events to send; all by default."),
    }),
  )
  .max(MAX_WEBHOOKS, `at most ${MAX_WEBHOOKS} webhooks`)
  .refine(
    (hooks) => new Set(hooks.map(({ url }) => addressOf(url))).size === hooks.length,
    "each address once",
  );

function isWebhookUrl(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || text.includes("#") || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === "" && password === "";
}

const addressOf = (url: string) => (URL.canParse(url) ? new URL(url).href : url);
