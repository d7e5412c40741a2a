import { type Agreement, agreementSchema } from "@crowdai/shared";
import { z } from "zod";
import { agreementRefused } from "../agreement/agreement-errors.ts";
import { askAgreement, readLicense } from "../agreement/ask-agreement.ts";
import type { HttpClient } from "../client/http/http-client.ts";
import { labeledLines } from "../terminal/labels.ts";
import { plainValue } from "../terminal/plain-text.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { timeText } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";

const agreementsSchema = z.object({ agreements: z.array(agreementSchema) });

/**
 * Shows the license and asks the person at the terminal; no flag agrees. `--show` lists earlier agreements.
 */
export async function agree(
  { io, connection, terminal }: CommandContext,
  { words }: { words: string[] },
  options: { show?: boolean },
): Promise<number> {
  if (words.length > 0)
    throw agreementRefused(
      connection.settings,
      `No argument (${words[0]}) accepts the MIT license; only a person can.`,
    );
  await connection.key();
  const http = await connection.http();
  if (options.show) return showAgreements(terminal, http);

  const license = await readLicense(http);
  const before = license.agreement;
  const dialog = { io, terminal, http, broker: connection.settings };
  const agreement = before ?? (await askAgreement(dialog, license));
  const document = { agreed: true, agreement, url: license.url };
  terminal.present({
    json: document,
    ndjson: [{ type: "agreement", ...document }],
    quiet: [agreement.digest],
    text: () =>
      terminal.answer(
        before
          ? `You accepted this license on ${timeText(before.agreed_at)}.`
          : "You have accepted the MIT license.",
      ),
  });
  terminal.next("crowdai publish <id>");
  return 0;
}

async function showAgreements(terminal: Terminal, http: HttpClient): Promise<number> {
  const { agreements } = await http.get("/api/v1/agreements", agreementsSchema);
  terminal.present({
    json: { agreements },
    ndjson: agreements.map((one) => ({ type: "agreement", ...one })),
    quiet: agreements.map(({ digest }) => digest),
    text: () => {
      if (agreements.length === 0) terminal.note("You have not accepted any license on this broker.");
      for (const one of agreements)
        terminal.answer(labeledLines(rowsOf(plainValue(one)), terminal.style, terminal.width).join("\n"));
    },
  });
  if (agreements.length === 0) terminal.next("crowdai agree");
  return 0;
}

function rowsOf(one: Agreement): [string, string][] {
  return [
    ["License", one.licence.toUpperCase()],
    ["Accepted", timeText(one.agreed_at)],
    ["Where", one.where === "terminal" ? "in a terminal" : "on the web page"],
    ["IP address", one.ip],
    ["User agent", one.user_agent],
    ["License SHA-256", one.digest],
  ];
}
