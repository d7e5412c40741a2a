import { CrowdaiError, challengeSchema, leaderboardSchema, limitsSchema } from "@crowdai/shared";
import { openRound } from "@crowdai/shared/challenge-folder";
import { createRoute, z } from "@hono/zod-openapi";
import { publicChallenge } from "../challenges/public-challenge.ts";
import { readServing } from "../graders/waiting.ts";
import { readLeaderboard } from "../leaderboard/leaderboard.ts";
import { withMedia } from "../media/board-media.ts";
import { readLimits } from "../rules/limits.ts";
import { findRound } from "../rules/target-round.ts";
import { type ApiGroup, answers, idParam, keyOptional, whole, withKey } from "./api-shapes.ts";

/** Challenges, their limits and their leaderboards. */
export function challengeRoutes({ api, context, participant, viewer }: ApiGroup): void {
  api.openapi(
    createRoute({
      method: "get",
      path: "/challenges",
      summary: "The challenges",
      security: keyOptional,
      responses: answers(z.object({ challenges: z.array(challengeSchema) }), "The challenges"),
    }),
    async (c) => {
      await viewer(c);
      const challenges = [...context().catalogue.all().values()].filter(
        ({ config }) => !config.visibility.private,
      );
      return c.json(
        { challenges: await Promise.all(challenges.map((one) => publicChallenge(one, context()))) },
        200,
      );
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/challenges/{id}",
      summary: "One challenge",
      security: keyOptional,
      request: { params: idParam },
      responses: answers(challengeSchema, "The challenge"),
    }),
    async (c) => {
      await viewer(c);
      const found = context().catalogue.get(c.req.valid("param").id);
      return c.json(await publicChallenge(found, context()), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/challenges/{id}/limits",
      summary: "Your slots",
      security: withKey,
      request: { params: idParam, query: z.object({ round: z.string().optional() }) },
      responses: answers(limitsSchema, "Slots used and left"),
    }),
    async (c) => {
      const caller = await participant(c);
      const { catalogue, clock } = context();
      const { config } = catalogue.get(c.req.valid("param").id);
      const { round } = c.req.valid("query");
      const target = round === undefined ? (openRound(config, clock()) ?? null) : findRound(config, round);
      const limits = await readLimits(context().records.db, config, target, caller.id, clock());
      return c.json({ ...limits, ...(await readServing(context(), config.id)) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/challenges/{id}/leaderboard",
      summary: "The leaderboard of a round",
      security: keyOptional,
      request: {
        params: idParam,
        query: z.object({
          round: z.string().optional(),
          limit: whole(100, 1000),
          offset: whole(0, 10_000_000),
          ongoing: z.enum(["true", "false"]).default("false"),
        }),
      },
      responses: answers(leaderboardSchema, "Best graded submission of each participant"),
    }),
    async (c) => {
      const caller = await viewer(c);
      const { catalogue, clock } = context();
      const { config } = catalogue.get(c.req.valid("param").id);
      if (!config.visibility.leaderboard && caller?.kind !== "organizer")
        throw new CrowdaiError("not_allowed", `The leaderboard of ${config.id} is not displayed yet.`);
      const { round, limit, offset, ongoing } = c.req.valid("query");
      const shown =
        round === undefined ? (openRound(config, clock()) ?? config.rounds.at(-1)) : findRound(config, round);
      const board = await readLeaderboard(context().records.db, config, {
        round: shown?.id ?? "",
        board: ongoing === "true" ? "ongoing" : "current",
        limit,
        offset,
        viewer: caller?.kind === "participant" ? caller.id : null,
      });
      return c.json(await withMedia(context(), board), 200);
    },
  );
}
