import { CrowdaiError } from "@crowdai/shared";
import type { Command, Option } from "commander";
import { type ListedWebhook, listWebhooks } from "../domain/webhooks/list-webhooks.ts";
import { webhookSecret } from "../domain/webhooks/webhook-secret.ts";
import type { Records } from "../records/records.ts";
import { readSecret } from "../records/secret.ts";

/** Adds `crowdai-broker challenge webhooks`, which shows what a receiver needs to verify a message. */
export function addWebhookCommand(
  challenge: Command,
  {
    say,
    dataOption,
    formatOption,
  }: { say: (line: string) => void; dataOption: () => Option; formatOption: () => Option },
  withRecords: <T>(data: string, work: (records: Records) => Promise<T>) => Promise<T>,
): void {
  challenge
    .command("webhooks <id>")
    .description("Show the webhooks of a challenge, their secrets, and how their messages fared.")
    .addOption(dataOption())
    .addOption(formatOption())
    .action((id: string, { data, format }) =>
      withRecords(data, async ({ db }) => {
        const installation = await readSecret(db, "webhook_secret");
        const webhooks = (await listWebhooks(db, id)).map((hook) => ({
          ...hook,
          secret: webhookSecret(installation, hook),
        }));
        if (webhooks.length === 0)
          throw new CrowdaiError("usage", `No broker has served a webhook of ${id} with these records.`, {
            next: 'Add "webhooks" to its challenge.json; a running broker picks them up.',
          });
        if (format === "json") say(JSON.stringify({ schema_version: 1, webhooks }));
        else for (const hook of webhooks) for (const line of describe(hook)) say(line);
      }),
    );
}

function describe(hook: ListedWebhook & { secret: string }): string[] {
  const { url, events, secret, delivered, waiting, given_up, delivered_at, problem } = hook;
  const latest = delivered_at === null ? "" : `, the latest on ${delivered_at}`;
  return [
    url,
    `  secret   ${secret}`,
    `  events   ${events.join(", ")}`,
    `  messages ${delivered} delivered${latest}; ${waiting} waiting, ${given_up} given up`,
    ...(problem === null ? [] : [`  problem  ${problem}`]),
  ];
}
