import { CrowdaiError } from "@crowdai/shared";
import { Hono } from "hono";
import { readStandingNow, withoutRank } from "../../domain/leaderboard/standing-now.ts";
import { areMediaAwaited } from "../../domain/media/media-work.ts";
import { profilesOf, showsProfiles } from "../../domain/profiles/profiles.ts";
import { readEvents } from "../../domain/submissions/events.ts";
import { redactEvents, redactSubmission } from "../../domain/submissions/redact-submission.ts";
import { type ViewNeeds, viewSubmission } from "../../domain/submissions/view-submission.ts";
import { withShownSeeds } from "../../domain/submissions/with-shown-seeds.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { senderName } from "../requests/request-address.ts";
import { seenSubmission } from "./access.ts";
import { detailedResults } from "./detailed-results.ts";
import { ownDisqualifications } from "./disqualified-notice.tsx";
import type { PageContext } from "./page-context.ts";
import { pageNumber } from "./pager.tsx";
import { maySelect } from "./selection-routes.tsx";
import type { Visit } from "./session/sessions.ts";
import { SubmissionPage } from "./submission.tsx";
import { followSubmission } from "./submission-events.ts";
import { readSubmissionList } from "./submission-list.ts";
import { SubmissionLive } from "./submission-live.tsx";
import { SubmissionsPage } from "./submissions.tsx";
import { readVisibleCode } from "./visible-code.ts";

/** The list of a reader's submissions, and the page of each submission. */
export function submissionPages(
  parts: PageContext<ViewNeeds & HttpNeeds<"records" | "objects" | "catalog" | "seedsOf" | "trustedProxies">>,
): Hono {
  const { context, sessions, renderPage, renderPart, code } = parts;
  const routes = new Hono();
  const configOf = (id: string) => context().catalog.all().get(id)?.config;

  routes.get("/submissions", async (c) => {
    const visit = await sessions.read(c);
    const { caller } = visit;
    if (!caller) throw new CrowdaiError("no_key");
    const { challenge, participant, page: wanted } = c.req.query();
    const page = pageNumber(wanted);
    const list = await readSubmissionList(context(), caller, { challenge, participant, page });
    const own = caller.kind === "participant";
    const disqualified = await ownDisqualifications(context().records.db, caller, challenge || null);
    return renderPage(
      c,
      visit,
      { title: own ? "My submissions" : "Submissions" },
      <SubmissionsPage list={list} page={page} own={own} disqualified={disqualified} config={configOf} />,
    );
  });
  routes.get("/participants/me", (c) => c.redirect("/submissions", 303));

  async function read(visit: Visit, id: string) {
    const { caller } = visit;
    const { row, access } = await seenSubmission(context(), caller, id);
    const { db } = context().records;
    const config = configOf(row.challenge);
    const seesRank = access === "organizer" || config?.visibility.leaderboard === true;
    const [viewed, standingNow, events, mediaAwaited] = await Promise.all([
      viewSubmission(context(), db, row).then((seen) => withShownSeeds(context(), seen, row)),
      seesRank || access === "own" ? readStandingNow(context(), row) : null,
      readEvents(db, row.id, 0),
      areMediaAwaited(db, row.id),
    ]);
    const submission = { ...viewed, standing: seesRank ? standingNow : withoutRank(standingNow) };
    const isOther = access === "other";
    const live = {
      submission: isOther ? redactSubmission(submission) : submission,
      events: isOther ? redactEvents(events) : events,
      access,
      config,
      selector: (await maySelect(context(), row, access)) ? visit : null,
      mediaAwaited,
    };
    return { row, live };
  }

  routes.get("/submissions/:id", async (c) => {
    const visit = await sessions.read(c);
    const { row, live } = await read(visit, c.req.param("id"));
    const seen = live.submission.code
      ? await readVisibleCode(
          code(),
          visit.caller,
          row.id,
          senderName(c, visit.caller, context().trustedProxies),
        )
      : null;
    const profile =
      live.config && showsProfiles(live.config) && row.baseline === 0
        ? ((await profilesOf(context().records.db, [row.id], context().baseUrl())).get(row.id) ?? null)
        : null;
    return renderPage(
      c,
      visit,
      { title: `Submission ${row.id.slice(0, 24)}` },
      <SubmissionPage {...live} profile={profile} broker={context().baseUrl()} seen={seen} />,
    );
  });

  routes.get("/submissions/:id/live", async (c) => {
    const { live } = await read(await sessions.read(c), c.req.param("id"));
    return renderPart(c, <SubmissionLive {...live} />);
  });

  routes.get("/submissions/:id/detailed-results", async (c) => {
    const { caller } = await sessions.read(c);
    return detailedResults(c, context(), caller, c.req.param("id"));
  });

  routes.get("/submissions/:id/events", async (c) => {
    const seen = async () => seenSubmission(context(), (await sessions.read(c)).caller, c.req.param("id"));
    const { row } = await seen();
    return followSubmission(c, parts, row.id, () => seen().then(Boolean, () => false));
  });
  return routes;
}
