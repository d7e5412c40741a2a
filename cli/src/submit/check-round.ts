import { CrowdaiError, type PublicChallenge, type Round } from "@crowdai/shared";
import { timeText } from "../terminal/time.ts";

/**
 * Returns the round that a submission goes to: the wanted one, by id or number, or the open one. Returns null
 * if all rounds have ended and the challenge accepts late submissions. Throws challenge_closed, round_unknown
 * and round_not_open.
 */
export function checkRound(challenge: PublicChallenge, wanted: string | undefined): Round | null {
  const { id, closed_at, after_end } = challenge;
  if (closed_at && after_end === "reject")
    throw new CrowdaiError("challenge_closed", `${id} was closed on ${timeText(closed_at)}.`);
  return wanted === undefined ? openRound(challenge) : namedRound(challenge, wanted);
}

function openRound({ id, round, rounds, after_end }: PublicChallenge): Round | null {
  const open = rounds.find((one) => one.id === round);
  if (open) return open;
  if (after_end === "accept" && rounds.some(({ state }) => state === "ended")) return null;
  const next = rounds.find(({ state }) => state === "upcoming");
  const near = next ?? rounds.findLast(({ state }) => state === "ended");
  throw new CrowdaiError("round_not_open", `No round of ${id} is open${near ? `; ${when(near)}` : ""}.`);
}

function namedRound({ id, rounds, after_end }: PublicChallenge, wanted: string): Round {
  const round =
    rounds.find((one) => one.id === wanted) ?? rounds.find((one) => String(one.number) === wanted);
  if (!round) {
    const known = rounds.map((one) => `"${one.id}"`).join(", ");
    throw new CrowdaiError("round_unknown", `${id} has no round "${wanted}". Rounds: ${known}.`);
  }
  if (round.state === "open" || (round.state === "ended" && after_end === "accept")) return round;
  const { starts_at, ends_at } = round;
  throw new CrowdaiError("round_not_open", `The round is not open: ${when(round)}.`, {
    details: { starts_at, ends_at },
  });
}

function when({ id, state, starts_at, ends_at }: Round): string {
  const [verb, at] = state === "ended" ? ["ended", ends_at] : ["opens on", starts_at];
  return `round "${id}" ${at === null ? verb.split(" ")[0] : `${verb} ${timeText(at)}`}`;
}
