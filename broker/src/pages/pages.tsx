import { openRound } from "@crowdai/shared/challenge-folder";
import { Hono } from "hono";
import { readLeaderboard } from "../leaderboard/leaderboard.ts";
import type { SubmissionContext } from "../submissions/context.ts";
import { Layout } from "./layout.tsx";
import { LeaderboardTable } from "./leaderboard-table.tsx";

/** Plain pages: the challenges, and each with its leaderboard and how to submit. Nothing on them needs a script. */
export function pageRoutes(context: () => SubmissionContext): Hono {
  const pages = new Hono();
  pages.get("/", (c) => {
    const challenges = [...context().catalogue.all().values()].filter(
      ({ config }) => !config.visibility.private,
    );
    return c.html(
      <Layout title="Challenges">
        <h1>Challenges</h1>
        {challenges.length === 0 ? <p>No challenge is served yet.</p> : null}
        <ul>
          {challenges.map(({ config }) => (
            <li>
              <a href={`/challenges/${config.id}`}>{config.title}</a>
            </li>
          ))}
        </ul>
      </Layout>,
    );
  });

  pages.get("/challenges/:id", async (c) => {
    const { catalogue, records, clock, baseUrl } = context();
    const { config } = catalogue.get(c.req.param("id"));
    const round = openRound(config, clock()) ?? config.rounds.at(-1);
    const board = config.visibility.leaderboard
      ? await readLeaderboard(records.db, config, {
          round: round?.id ?? "",
          board: "current",
          limit: 100,
          offset: 0,
          viewer: null,
        })
      : null;
    return c.html(
      <Layout title={config.title}>
        <h1>{config.title}</h1>
        <p class="description">{config.description}</p>
        <h2>Submit</h2>
        <pre>{`npx crowdai login --broker ${baseUrl()}\nnpx crowdai submit predictions.csv -c ${config.id} --broker ${baseUrl()}`}</pre>
        <h2>Leaderboard</h2>
        {board ? <LeaderboardTable board={board} /> : <p>Leaderboard is not displayed yet.</p>}
      </Layout>,
    );
  });

  pages.get("/submissions/:id", async (c) => {
    const { id } = c.req.param();
    return c.html(
      <Layout title="Submission">
        <h1>Submission {id}</h1>
        <p>A submission is shown to its participant:</p>
        <pre>{`npx crowdai show ${id} --broker ${context().baseUrl()}`}</pre>
      </Layout>,
    );
  });
  return pages;
}
