import { z } from "zod";
import { submissionIdSchema } from "./intent.ts";
import { spaceSchema } from "./spaces.ts";

/** The longest message of an agent or an environment, as JSON text in UTF-8. */
export const MAX_STEP_BYTES = 1_000_000;

const episode = z.int().min(1).optional();

/**
 * A request of an agent to its session; one is open at a time. `n` numbers the steps of an episode, starting
 * at 1. A request that names its episode and step may be repeated: it is answered once, and a repetition gets
 * the same answer.
 */
export const agentRequestSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("hello") }),
  z.object({ type: z.literal("reset"), episode }),
  z.object({ type: z.literal("step"), episode, n: z.int().min(1).optional(), action: z.unknown() }),
  z.object({
    type: z.literal("submit"),
    early: z
      .boolean()
      .optional()
      .describe(
        "Of a broker: ends the session though episodes are left. Otherwise such a submit is refused.",
      ),
  }),
]);
export type AgentRequest = z.infer<typeof agentRequestSchema>;

export const helloSchema = z.object({
  type: z.literal("hello"),
  protocol: z.literal(1),
  spaces: z.object({ action: spaceSchema, observation: spaceSchema }),
  episodes: z.int().describe("How many a session plays."),
  limits: z.record(z.string(), z.number()),
});
export type Hello = z.infer<typeof helloSchema>;

export const observationSchema = z.object({
  type: z.literal("observation"),
  episode: z.int(),
  observation: z.unknown(),
  info: z.record(z.string(), z.unknown()),
});

export const stepAnswerSchema = z.object({
  type: z.literal("step"),
  episode: z.int(),
  n: z.int(),
  observation: z.unknown(),
  reward: z.number(),
  terminated: z.boolean(),
  truncated: z.boolean(),
  info: z.record(z.string(), z.unknown()),
  bank_ms: z.number().optional().describe("The rest of a code agent's bank in this episode."),
});
export type StepAnswer = z.infer<typeof stepAnswerSchema>;

/** Answers of a session. `end` answers a reset after the last episode, and a submit. */
export const agentAnswerSchema = z.discriminatedUnion("type", [
  helloSchema,
  observationSchema,
  stepAnswerSchema,
  z.object({ type: z.literal("end") }),
  z.object({ type: z.literal("error"), code: z.string(), message: z.string() }),
]);
export type AgentAnswer = z.infer<typeof agentAnswerSchema>;

/** Client to broker, event `environment:create`: registers a session, which is a submission. */
export const createSessionSchema = z.object({
  id: submissionIdSchema,
  challenge: z.string(),
  round: z.string().max(100).nullable().default(null),
  message: z.string().max(10_000).nullable().default(null),
});
export type CreateSession = z.infer<typeof createSessionSchema>;
export type SessionRequest = z.input<typeof createSessionSchema>;

/**
 * Client to broker, events `environment:hello`, `environment:reset`, `environment:step` and
 * `environment:submit`: a request without its type, and the submission it belongs to.
 */
export const sessionRequestSchemas = {
  "environment:hello": z.object({ id: submissionIdSchema }),
  "environment:reset": z.object({ id: submissionIdSchema, episode }),
  "environment:step": z.object({
    id: submissionIdSchema,
    episode,
    n: z.int().min(1).optional(),
    action: z.unknown(),
  }),
  "environment:submit": z.object({ id: submissionIdSchema }),
} as const;

/**
 * Acknowledges an `environment:` event: an answer of the session, or that no grader holds it yet. Ask again
 * then.
 */
export const sessionAnswerSchema = z.union([
  agentAnswerSchema,
  z.object({ type: z.literal("waiting"), place: z.int().nullable(), reason: z.string().nullable() }),
]);
export type SessionAnswer = z.infer<typeof sessionAnswerSchema>;
