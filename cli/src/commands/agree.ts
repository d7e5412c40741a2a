import { type Agreement, agreementSchema } from "@crowdai/shared";
import { z } from "zod";
import { agreementRefused } from "../agreement/agreement-errors.ts";
import { askAgreement, readLicence } from "../agreement/ask-agreement.ts";
import type { Context } from "../context.ts";
import { plainValue } from "../terminal/plain-text.ts";
import { timeText } from "../terminal/time.ts";

const agreementsSchema = z.object({ agreements: z.array(agreementSchema) });

/** Shows the licence text and asks the person at the terminal; nothing else agrees. `--show` lists what is kept. */
export async function agree(
  context: Context,
  { words }: { words: string[] },
  options: { show?: boolean },
): Promise<number> {
  if (words.length > 0)
    throw agreementRefused(
      context,
      `No flag or argument (${words[0]}) agrees to the MIT licence: a person does.`,
    );
  await context.key();
  if (options.show) return showAgreements(context);

  const { terminal } = context;
  const http = await context.http();
  const licence = await readLicence(http);
  const before = licence.agreement;
  const agreement = before ?? (await askAgreement(context, http, licence));
  const document = { agreed: true, agreement, url: licence.url };
  terminal.present({
    json: document,
    ndjson: [{ type: "agreement", ...document }],
    quiet: [agreement.digest],
    text: () =>
      terminal.answer(
        before
          ? `You agreed to this text on ${timeText(before.agreed_at)}.`
          : "Your agreement to the MIT licence is kept.",
      ),
  });
  terminal.next("crowdai publish <id>");
  return 0;
}

async function showAgreements(context: Context): Promise<number> {
  const { terminal } = context;
  const { agreements } = await (await context.http()).get("/api/v1/agreements", agreementsSchema);
  terminal.present({
    json: { agreements },
    ndjson: agreements.map((one) => ({ type: "agreement", ...one })),
    quiet: agreements.map(({ digest }) => digest),
    text: () => {
      if (agreements.length === 0) terminal.note("You have agreed to nothing here.");
      for (const one of agreements) terminal.answer(describe(plainValue(one)).join("\n"));
    },
  });
  if (agreements.length === 0) terminal.next("crowdai agree");
  return 0;
}

function describe(one: Agreement): string[] {
  const rows = [
    ["licence", one.licence.toUpperCase()],
    ["agreed", timeText(one.agreed_at)],
    ["where", one.where === "terminal" ? "in a terminal" : "on the page"],
    ["IP address", one.ip],
    ["user agent", one.user_agent],
    ["text's sha256", one.digest],
  ] as const;
  return rows.map(([name, value]) => `${`${name}:`.padEnd(15)}${value}`);
}
