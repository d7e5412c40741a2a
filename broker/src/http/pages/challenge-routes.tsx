import { CrowdaiError } from "@crowdai/shared";
import { roundState } from "@crowdai/shared/challenge-folder";
import { Hono } from "hono";
import { basePathOf } from "../../base/base-path.ts";
import { findClosure } from "../../domain/challenges/find-closure.ts";
import { publicChallenge } from "../../domain/challenges/public-challenge.ts";
import type { ServingSources } from "../../domain/graders/queue-status.ts";
import { rememberBestOverTime } from "../../domain/leaderboard/best-over-time.ts";
import { readChallengeStatus } from "../../domain/status/challenge-status.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { createReadMemory } from "../../records/read-memory.ts";
import { seenChallenge, seesBoard } from "./access.ts";
import { ChallengePage } from "./challenge.tsx";
import { ChallengeList, presentRound, readChallengeList, readFigures } from "./challenges.tsx";
import { ownDisqualifications } from "./disqualified-notice.tsx";
import { truncateText } from "./format.ts";
import { LeaderboardSection, readBoard, readBoardFile } from "./leaderboard-section.tsx";
import { describe, summary } from "./markdown.ts";
import type { PageContext } from "./page-context.ts";
import { pictureRoutes } from "./picture-routes.ts";
import { StatusPage } from "./status.tsx";

/** The list of challenges, each challenge, and its leaderboard alone for the script that keeps it live. */
export function challengePages({
  context,
  sessions,
  renderPage,
  renderPart,
}: PageContext<ServingSources & Needs<"records" | "catalog" | "seedsOf" | "baseUrl" | "objects">>): Hono {
  const routes = new Hono();
  const readBest = rememberBestOverTime(() => context().records.db);
  const readsNow = createReadMemory(() => context().records);

  routes.get("/", async (c) => {
    const visit = await sessions.read(c);
    const listed = await readChallengeList(context(), visit.caller);
    return renderPage(
      c,
      visit,
      {
        title: "crowdAI",
        description: "Challenges with live leaderboards: submit and get a score in seconds.",
        listed: true,
      },
      <ChallengeList listed={listed} />,
    );
  });

  routes.get("/challenges", (c) => c.redirect("/", 301));

  routes.get("/challenges/:id", async (c) => {
    const remember = await readsNow();
    const visit = await sessions.read(c, remember);
    const { caller } = visit;
    const seen = await seenChallenge(context(), caller, c.req.param("id"));
    const { config } = seen.challenge;
    const now = context().clock();
    const { db } = context().records;
    const round = presentRound(config, now);
    const closure = await remember(config, ["closure"], () => findClosure(db, config.id));
    const [view, shown, figures, disqualified, description] = await Promise.all([
      readBoard({ ...context(), remember }, seen, caller, c.req.query()),
      publicChallenge(seen.challenge, context(), closure),
      seesBoard(config, seen.role)
        ? remember(config, ["figures", round.id, roundState(round, now)], () =>
            readFigures(db, config, round.id, now),
          )
        : null,
      remember(config, ["disqualifications", caller?.kind, caller?.id], () =>
        ownDisqualifications(db, caller, config.id),
      ),
      describe(context(), seen.challenge, basePathOf(context().baseUrl())),
    ]);
    const best = seesBoard(config, seen.role) ? await readBest(config, view.round) : [];
    return renderPage(
      c,
      visit,
      {
        title: truncateText(config.title, 120),
        description: summary(config),
        listed: !config.visibility.private,
      },
      <ChallengePage
        seen={seen}
        shown={shown}
        figures={figures}
        view={view}
        description={description}
        best={best}
        disqualified={disqualified}
        broker={context().baseUrl()}
        now={now}
      />,
    );
  });

  routes.get("/challenges/:id/status", async (c) => {
    const visit = await sessions.read(c);
    const { challenge, role } = await seenChallenge(context(), visit.caller, c.req.param("id"));
    const { config } = challenge;
    if (role !== "organizer")
      throw new CrowdaiError("not_allowed", "Only organizers of this challenge see its status.", {
        next: "Sign in with an organizer's key.",
      });
    const { records, clock, graders } = context();
    const now = clock();
    const seen = { at: now.toISOString(), graders: await graders.all() };
    const status = await readChallengeStatus(records.db, config.id, seen, now);
    return renderPage(
      c,
      visit,
      { title: `Status of ${truncateText(config.title, 100)}`, description: "Status", listed: false },
      <StatusPage challenge={challenge} status={status} now={now} />,
    );
  });

  routes.get("/challenges/:id/leaderboard", async (c) => {
    const remember = await readsNow();
    const { caller } = await sessions.read(c, remember);
    const seen = await seenChallenge(context(), caller, c.req.param("id"));
    const view = await readBoard({ ...context(), remember }, seen, caller, c.req.query());
    return renderPart(c, <LeaderboardSection view={view} seen={seen} />);
  });

  routes.get("/challenges/:id/leaderboard.csv", async (c) => {
    const { caller } = await sessions.read(c);
    const seen = await seenChallenge(context(), caller, c.req.param("id"));
    const { text, headers } = await readBoardFile(
      { ...context(), remember: await readsNow() },
      seen,
      c.req.query(),
    );
    return c.body(text, 200, headers);
  });
  routes.route("/", pictureRoutes({ context, sessions }));
  return routes;
}
