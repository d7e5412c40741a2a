import { BOARDS, challengeSchema, leaderboardSchema, limitsSchema } from "@crowdai/shared";
import { openRound, roundState } from "@crowdai/shared/challenge-folder";
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { publicChallenge } from "../../domain/challenges/public-challenge.ts";
import { readChallengeServing, type ServingSources } from "../../domain/graders/queue-status.ts";
import { readBoardCsv } from "../../domain/leaderboard/board-csv.ts";
import { readLeaderboard } from "../../domain/leaderboard/leaderboard.ts";
import { withLinks } from "../../domain/media/board-links.ts";
import { readLimits } from "../../domain/rules/limits.ts";
import { findRound } from "../../domain/rules/target-round.ts";
import {
  maySeeChallenge,
  requireVisible,
  sightOfBoard,
  sightOfSubmissions,
} from "../../domain/rules/visibility.ts";
import { listedSubmissionSchema, listSubmissions } from "../../domain/submissions/list-submissions.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { createReadMemory } from "../../records/read-memory.ts";
import { csvHeaders } from "../requests/csv-answer.ts";
import {
  type ApiGroup,
  answers,
  bytesAnswer,
  csvAnswer,
  idParam,
  keyOptional,
  whole,
  withKey,
} from "./api-shapes.ts";

const boardQuery = z.object({
  round: z.string().optional(),
  board: z.enum(BOARDS).optional(),
  ongoing: z.enum(["true", "false"]).default("false").describe("The same as board=ongoing."),
});

/** Challenges, their limits and their leaderboards. */
export function challengeRoutes({
  api,
  context,
  participant,
  viewer,
}: ApiGroup<ServingSources & Needs<"catalog" | "records" | "seedsOf" | "baseUrl">>): void {
  const readsNow = createReadMemory(() => context().records);

  api.openapi(
    createRoute({
      method: "get",
      path: "/challenges",
      summary: "List challenges",
      security: keyOptional,
      responses: answers(z.object({ challenges: z.array(challengeSchema) }), "The challenges"),
    }),
    async (c) => {
      const caller = await viewer(c);
      const all = [...context().catalog.all().values()];
      const isSeen = await Promise.all(
        all.map(({ config }) => maySeeChallenge(context().records.db, config, caller)),
      );
      const challenges = all.filter((_, index) => isSeen[index]);
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
      summary: "Get a challenge",
      security: keyOptional,
      request: { params: idParam },
      responses: answers(challengeSchema, "The challenge"),
    }),
    async (c) => {
      const caller = await viewer(c);
      const found = context().catalog.get(c.req.valid("param").id);
      await requireVisible(context(), found.config, caller);
      return c.json(await publicChallenge(found, context()), 200);
    },
  );

  // data-routes.ts serves it: a file is not JSON and may be large.
  api.openAPIRegistry.registerPath({
    method: "get",
    path: "/challenges/{id}/data/{name}",
    summary: "Download a public file of a challenge, whole or by range; its name may contain slashes",
    security: keyOptional,
    request: { params: z.object({ id: z.string().max(100), name: z.string() }) },
    responses: bytesAnswer("The file"),
  });

  api.openapi(
    createRoute({
      method: "get",
      path: "/challenges/{id}/limits",
      summary: "Get your submission limits",
      security: withKey,
      request: { params: idParam, query: z.object({ round: z.string().optional() }) },
      responses: answers(limitsSchema, "Slots used and left"),
    }),
    async (c) => {
      const caller = await participant(c);
      const { catalog, clock } = context();
      const { config } = catalog.get(c.req.valid("param").id);
      await requireVisible(context(), config, caller);
      const { round } = c.req.valid("query");
      const target = round === undefined ? (openRound(config, clock()) ?? null) : findRound(config, round);
      const limits = await readLimits(context().records.db, config, target, caller.id, clock());
      return c.json({ ...limits, ...(await readChallengeServing(context(), config)) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/challenges/{id}/leaderboard",
      summary: "Get the leaderboard of a round",
      security: keyOptional,
      request: {
        params: idParam,
        query: boardQuery.extend({ limit: whole(100, 1000), offset: whole(0, 10_000_000) }),
      },
      responses: answers(leaderboardSchema, "The best graded submission of each participant"),
    }),
    async (c) => {
      const { limit, offset, ...asked } = c.req.valid("query");
      const { config, query } = await seenBoard(c, c.req.valid("param").id, asked);
      const board = await readLeaderboard(context().records.db, config, { ...query, limit, offset });
      return c.json(await withLinks(context(), board, config), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/challenges/{id}/leaderboard.csv",
      summary: "Download the whole leaderboard of a round as CSV, with a header",
      security: keyOptional,
      request: { params: idParam, query: boardQuery },
      responses: csvAnswer("The rows of the leaderboard, as of one moment"),
    }),
    async (c) => {
      const { config, query } = await seenBoard(c, c.req.valid("param").id, c.req.valid("query"));
      const remember = await readsNow();
      const { round, board, ownOnly, viewer: reader, now } = query;
      const known = config.rounds.find(({ id }) => id === round);
      const state = known ? roundState(known, now) : null;
      // The rows of a whole board are the same for all readers.
      const text = await remember(config, ["file", round, board, state, ownOnly ? reader : "all"], () =>
        readBoardCsv(context().records.db, config, query),
      );
      return c.body(text, 200, csvHeaders(config.id, query.round, query.board));
    },
  );

  /** Finds the board that a request asks for, with what its caller may see of it. */
  async function seenBoard(c: Context, id: string, { round, board, ongoing }: z.infer<typeof boardQuery>) {
    const caller = await viewer(c);
    const { catalog, clock } = context();
    const { config } = catalog.get(id);
    const sight = await sightOfBoard(context(), config, caller);
    const now = clock();
    const shown =
      round === undefined ? (openRound(config, now) ?? config.rounds.at(-1)) : findRound(config, round);
    const query = {
      round: shown?.id ?? "",
      board: board ?? (ongoing === "true" ? ("ongoing" as const) : ("current" as const)),
      viewer: caller?.kind === "participant" ? caller.id : null,
      now,
      ownOnly: sight === "own",
    };
    return { config, query };
  }

  api.openapi(
    createRoute({
      method: "get",
      path: "/challenges/{id}/submissions",
      summary:
        "List submissions to a challenge, newest first: yours, and others' if the challenge shows them",
      description: "For the next page, set `before` to the number of the last submission that you have.",
      security: keyOptional,
      request: {
        params: idParam,
        query: z.object({
          round: z.string().optional(),
          limit: whole(50, 1000),
          before: z.coerce.number().int().min(1).max(1e9).optional(),
        }),
      },
      responses: answers(
        z.object({ submissions: z.array(listedSubmissionSchema) }),
        "The submissions, with the fields that you may see",
      ),
    }),
    async (c) => {
      const caller = await viewer(c);
      const { catalog, clock, records } = context();
      const { config } = catalog.get(c.req.valid("param").id);
      const { round, limit, before } = c.req.valid("query");
      const sight = await sightOfSubmissions(context(), config, caller, clock());
      const submissions = await listSubmissions(records.db, config, {
        round: round === undefined ? null : findRound(config, round).id,
        limit,
        before: before ?? null,
        viewer: caller?.kind === "participant" ? caller.id : null,
        ownOnly: sight === "own",
      });
      return c.json({ submissions }, 200);
    },
  );
}
