import type { Intent, Limits, PublicChallenge, Submission } from "@crowdai/shared";
import { limits, publicChallenge, ROUND } from "./public-challenge.ts";
import { newSubmission } from "./sample-submissions.ts";

export function describeChallenge(): PublicChallenge {
  return publicChallenge({
    rounds: [
      { ...ROUND, id: "1", number: 1, title: "Round 1", state: "open", limit: { count: 5, per: "day" } },
    ],
    round: "1",
    accepts: {
      file: { extensions: [".csv"], max_bytes: 10_000_000 },
      json: { schema: true, max_bytes: 10_000_000 },
      code: null,
      model: { max_bytes: 1_000_000_000 },
    },
    functions: ["submit", "evaluate"],
  });
}

export function describeLimits(): Limits {
  return limits({ round: "1", used: 1, remaining: 4, parallel_limit: null, running: 0, graders: 1 });
}

export function describeSubmission(
  intent: Intent,
  number: number,
  input: Submission["input"],
  url: string,
): Submission {
  return newSubmission({
    id: intent.id,
    number,
    challenge: intent.challenge,
    round: intent.round ?? "1",
    function: intent.function ?? "submit",
    message: intent.message,
    input,
    created_at: new Date().toISOString(),
    url: `${url}/submissions/${intent.id}`,
  });
}
