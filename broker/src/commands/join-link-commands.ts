import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type BrokerConfig, readConfig } from "../base/config.ts";
import { createJoinLink, listJoinLinks, revokeJoinLink } from "../domain/participants/join-links.ts";
import { challengesOption } from "./challenge-ids.ts";
import { requireKnownChallenges } from "./known-challenges.ts";
import { now, type ParticipantTools, requireOwnParticipants, sayer } from "./participant-tools.ts";

const DEFAULT_URL = "http://localhost:8420";
const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;
const MAX_LIFETIME_MS = 366 * UNITS.d;

/** Adds the commands for links by which participants join. */
export function addJoinLinkCommands(
  participant: Command,
  { io, dataOption, withRecords }: ParticipantTools,
): void {
  const say = sayer(io);
  participant
    .command("link")
    .description("Make a link by which people join challenges and get a key; it is shown only once.")
    .addOption(challengesOption())
    .option("--uses <n>", "how many participants may join; without it, any number", wholeNumber)
    .option("--expires <time>", "how long it can be used, such as 12h, 7d or 2w", "7d")
    .addOption(dataOption())
    .action((options) => {
      const { data, challenges, uses = null } = options;
      const lifetimeMs = lifetime(options.expires);
      requireOwnParticipants(io, data, "Invite participants");
      const config = readConfig({ data }, io.env, io.cwd);
      return withRecords(data, async (records) => {
        await requireKnownChallenges(records.db, challenges);
        const link = { challenges, uses, now: new Date(), lifetimeMs };
        const { id, code, expires_at } = await createJoinLink(records, link);
        const url = brokerUrl(config);
        say(`${url ?? DEFAULT_URL}/join/${code}`);
        io.stderr.write(
          `Link ${id}, for ${uses === null ? "any number of participants" : `${uses} participant${uses === 1 ? "" : "s"}`}, until ${expires_at}.\n`,
        );
        if (url === null)
          io.stderr.write(
            "note: no broker runs here and PUBLIC_URL is not set: put the broker's address into the link.\n",
          );
      });
    });
  participant
    .command("links")
    .description("List join links: number, challenges, uses, state, when they were made and expire.")
    .addOption(dataOption())
    .addOption(new Option("--format <format>", "output format").choices(["text", "json"]).default("text"))
    .action(({ data, format }) =>
      withRecords(data, async ({ db }) => {
        const links = await listJoinLinks(db, new Date());
        if (format === "json") return say(JSON.stringify({ schema_version: 1, links }));
        for (const { id, challenges, uses, used, state, created_at, expires_at } of links)
          say(
            [id, challenges.join(","), `${used}/${uses ?? "any"}`, state, created_at, expires_at].join("\t"),
          );
      }),
    );
  participant
    .command("unlink <number>")
    .description("Revoke a join link, effective at once; participants who joined by it stay.")
    .addOption(dataOption())
    .action((number: string, { data }) =>
      withRecords(data, async (records) => {
        const id = /^\d{1,9}$/.test(number) ? Number(number) : 0;
        await revokeJoinLink(records, id, now());
        io.stderr.write(`Link ${id} is revoked.\n`);
      }),
    );
}

/** Returns the address of the broker: its public one, or that of the one that runs here; else null. */
function brokerUrl({ publicUrl, dataFolder }: BrokerConfig): string | null {
  if (publicUrl) return publicUrl;
  try {
    return String(JSON.parse(readFileSync(join(dataFolder, "broker.json"), "utf8")).url);
  } catch {
    return null;
  }
}

function wholeNumber(text: string): number {
  const uses = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (uses < 1) throw new InvalidArgumentError("Pass a whole number from 1 to 9999999.");
  return uses;
}

function lifetime(text: string): number {
  const [, amount, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];
  const ms = Number(amount) * UNITS[(unit ?? "d") as keyof typeof UNITS];
  if (!unit || ms === 0 || ms > MAX_LIFETIME_MS)
    throw new CrowdaiError("usage", `--expires: ${JSON.stringify(text)} is not a time up to a year.`, {
      next: "Pass a number with m, h, d or w, such as --expires 7d.",
    });
  return ms;
}
