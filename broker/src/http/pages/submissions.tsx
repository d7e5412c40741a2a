import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Disqualification } from "../../domain/participants/disqualifications.ts";
import { DisqualifiedNotice } from "./disqualified-notice.tsx";
import { truncateText } from "./format.ts";
import { OwnSummary, SummaryCards } from "./own-summary.tsx";
import { Pager } from "./pager.tsx";
import { pathTo } from "./path-to.tsx";
import type { SubmissionList } from "./submission-list.ts";
import { SubmissionRows } from "./submission-table.tsx";
import { UntrustedText } from "./untrusted-text.tsx";

/** A list of submissions with its filter, and a chart of the scores where they can be compared. */
export function SubmissionsPage({
  list,
  page,
  own,
  disqualified,
  config,
}: {
  list: SubmissionList;
  page: number;
  own: boolean;
  /** The reader's own. */
  disqualified: Disqualification[];
  /** Returns a challenge's settings by id. */
  config: (id: string) => ChallengeConfig | undefined;
}) {
  const { rows, challenges, challenge, participant, summaries } = list;
  const one = challenge === null ? undefined : config(challenge);
  const addressOf = ({ challenge, page = 1 }: { challenge: string | null; page?: number }) => {
    const query = new URLSearchParams();
    if (challenge) query.set("challenge", challenge);
    if (participant) query.set("participant", participant);
    if (page > 1) query.set("page", String(page));
    return pathTo(query.size === 0 ? "/submissions" : `/submissions?${query}`);
  };
  return (
    <>
      <div class="opening">
        <h1>
          {own ? "My submissions" : "Submissions"}
          {participant ? (
            <>
              {" "}
              of <UntrustedText text={participant} most={60} />
            </>
          ) : null}
        </h1>
        <DisqualifiedNotice found={disqualified} />
      </div>
      {challenges.length > 1 ? (
        <form method="get" action={pathTo("/submissions")} class="filter">
          <label for="challenge">Challenge</label>
          <select id="challenge" name="challenge">
            <option value="">All</option>
            {challenges.map((id) => (
              <option value={id} selected={id === challenge}>
                {truncateText(config(id)?.title ?? id, 80)}
              </option>
            ))}
          </select>
          {participant ? <input type="hidden" name="participant" value={participant} /> : null}
          <button type="submit">Show</button>
        </form>
      ) : null}
      {one && summaries[0] ? <OwnSummary summary={summaries[0]} config={one} /> : null}
      {!one && summaries.length > 0 ? (
        <SummaryCards summaries={summaries} config={config} href={(id) => addressOf({ challenge: id })} />
      ) : null}
      {rows.length === 0 ? (
        <p class="empty">No submissions yet.</p>
      ) : (
        <SubmissionRows list={list} own={own} config={config} />
      )}
      <Pager
        label="Pages of submissions"
        page={page}
        pages={list.pages}
        href={(n) => addressOf({ challenge, page: n })}
      />
    </>
  );
}
