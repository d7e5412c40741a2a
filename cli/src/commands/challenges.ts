import { challengeSchema, type PublicChallenge } from "@crowdai/shared";
import { z } from "zod";
import { roundText } from "../terminal/challenge-state.ts";
import { minuteText } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";

export const challengesSchema = z.object({ challenges: z.array(challengeSchema) });

/** Lists the challenges on the broker. */
export async function challenges({ connection, terminal }: CommandContext): Promise<number> {
  const found = await (await connection.http()).get("/api/v1/challenges", challengesSchema);
  const first = found.challenges[0];
  const next = first && `crowdai challenge ${connection.settings.challenge ?? first.id}`;
  terminal.present({
    json: found,
    next: [next],
    ndjson: found.challenges.map((challenge) => ({ type: "challenge", challenge })),
    quiet: found.challenges.map(({ id }) => id),
    text: () =>
      terminal.table(
        ["Challenge", "Title", "Round", "Ends", "Takes"],
        found.challenges.map((challenge) => {
          const { id, title, round, rounds } = challenge;
          const endsAt = rounds.find((r) => r.id === round)?.ends_at ?? null;
          const takes = takenText(challenge);
          return [
            id,
            title,
            roundText(challenge, terminal.isForEyes ? minuteText : isoText),
            endsAt && terminal.isForEyes ? minuteText(endsAt) : endsAt,
            takes,
          ];
        }),
      ),
  });

  if (next) terminal.next(next);
  else terminal.note("This broker has no challenges yet.");
  return 0;
}

const isoText = (iso: string): string => iso;

/** Returns what a challenge takes, such as "files, values". */
function takenText({
  run,
  environment,
  accepts,
}: Pick<PublicChallenge, "run" | "environment" | "accepts">): string {
  if (run) return "code";
  if (environment)
    return environment.agents
      .map((agent) => ({ code: "code agents", remote: "remote agents" })[agent])
      .join(", ");
  return [accepts.file && "files", accepts.json && "values"].filter(Boolean).join(", ");
}
