import { challengeSchema } from "@crowdai/shared";
import { z } from "zod";
import type { Context } from "../context.ts";
import { timeText } from "../terminal/time.ts";

export const challengesSchema = z.object({ challenges: z.array(challengeSchema) });

export async function challenges(context: Context): Promise<number> {
  const { terminal } = context;
  const found = await (await context.http()).get("/api/v1/challenges", challengesSchema);
  terminal.present({
    json: found,
    ndjson: found.challenges.map((challenge) => ({ type: "challenge", challenge })),
    quiet: found.challenges.map(({ id }) => id),
    text: () =>
      terminal.table(
        ["challenge", "title", "round", "ends"],
        found.challenges.map(({ id, title, round, rounds }) => {
          const endsAt = rounds.find((r) => r.id === round)?.ends_at ?? null;
          return [id, title, round ?? "closed", endsAt && terminal.isForEyes ? timeText(endsAt) : endsAt];
        }),
      ),
  });

  const first = found.challenges[0];
  if (first) terminal.next(`crowdai challenge ${context.settings.challenge ?? first.id}`);
  else terminal.note("The broker has no challenges yet.");
  return 0;
}
