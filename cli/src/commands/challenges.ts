import { challengeSchema } from "@crowdai/shared";
import { z } from "zod";
import { timeText } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";

export const challengesSchema = z.object({ challenges: z.array(challengeSchema) });

/** Lists the challenges on the broker. */
export async function challenges({ connection, terminal }: CommandContext): Promise<number> {
  const found = await (await connection.http()).get("/api/v1/challenges", challengesSchema);
  terminal.present({
    json: found,
    ndjson: found.challenges.map((challenge) => ({ type: "challenge", challenge })),
    quiet: found.challenges.map(({ id }) => id),
    text: () =>
      terminal.table(
        ["Challenge", "Title", "Round", "Ends"],
        found.challenges.map(({ id, title, round, rounds }) => {
          const endsAt = rounds.find((r) => r.id === round)?.ends_at ?? null;
          return [id, title, round ?? "closed", endsAt && terminal.isForEyes ? timeText(endsAt) : endsAt];
        }),
      ),
  });

  const first = found.challenges[0];
  if (first) terminal.next(`crowdai challenge ${connection.settings.challenge ?? first.id}`);
  else terminal.note("This broker has no challenges yet.");
  return 0;
}
