import { z } from "zod";

/** The name of the artifact that contains a session's steps: gzip, one JSON object a line. */
export const STEP_LOG = "steps.ndjson.gz";

const times = z.object({ p50: z.number(), p99: z.number() }).describe("Milliseconds.");

/**
 * How an agent played: recorded with the result. Seeds are named by digests until the challenge is closed.
 */
export const environmentRecordSchema = z.object({
  agent: z.enum(["code", "remote", "replay"]),
  grader: z.string(),
  episodes: z.array(
    z.object({
      episode: z.int(),
      seed_sha256: z.string(),
      seed: z.int().optional().describe("Shown once the challenge is closed and no agent is playing."),
      steps: z.int(),
      return: z.number(),
      ended: z.enum(["terminated", "truncated", "unfinished"]),
    }),
  ),
  steps: z.int(),
  agent_ms: times,
  environment_ms: times,
  invalid_actions: z.int(),
  resumed: z.int().describe("How often the environment was replayed to continue the session."),
});
export type EnvironmentRecord = z.infer<typeof environmentRecordSchema>;
