import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Disqualification } from "../../domain/participants/disqualifications.ts";
import { DisqualifiedNotice } from "./disqualified-notice.tsx";
import { shownNumber, truncateText } from "./format.ts";
import { Pager } from "./pager.tsx";
import { pathTo } from "./path-to.tsx";
import { ScoreChart } from "./score-chart.tsx";
import { Scroll } from "./scrollable.tsx";
import { StateTag } from "./state-tag.tsx";
import type { SubmissionList } from "./submission-list.ts";
import { Time, UntrustedText } from "./untrusted-text.tsx";

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
  const { rows, challenges, challenge, participant, points } = list;
  const one = challenge === null ? undefined : config(challenge);
  const href = (n: number) => {
    const query = new URLSearchParams();
    if (challenge) query.set("challenge", challenge);
    if (participant) query.set("participant", participant);
    if (n > 1) query.set("page", String(n));
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
      {one && points && points.length > 1 ? <ScoreChart points={points} config={one} /> : null}
      {rows.length === 0 ? (
        <p class="empty">No submissions yet.</p>
      ) : (
        <Scroll label="Submissions">
          <table>
            <caption class="unseen">Submissions, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Submission</th>
                {own ? null : <th scope="col">Participant</th>}
                {challenge ? null : <th scope="col">Challenge</th>}
                <th scope="col">State</th>
                <th scope="col" class="number">
                  {one ? <UntrustedText text={one.score.title} most={40} /> : "Score"}
                </th>
                {one?.score_secondary ? (
                  <th scope="col" class="number">
                    <UntrustedText text={one.score_secondary.title} most={40} />
                  </th>
                ) : null}
                <th scope="col">Message</th>
                <th scope="col">Submitted</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr>
                  <th scope="row">
                    <a href={pathTo(`/submissions/${row.id}`)}>
                      <code>{row.id.slice(0, 16)}</code>
                    </a>
                  </th>
                  {own ? null : (
                    <td>
                      <UntrustedText text={row.participant} most={60} />
                    </td>
                  )}
                  {challenge ? null : (
                    <td>
                      <a href={pathTo(`/challenges/${row.challenge}`)}>
                        <UntrustedText text={config(row.challenge)?.title ?? row.challenge} most={60} />
                      </a>
                    </td>
                  )}
                  <td>
                    <StateTag state={row.state} />
                  </td>
                  <td class="number score">
                    {shownNumber(row.score, config(row.challenge)?.score.precision ?? 3)}
                  </td>
                  {one?.score_secondary ? (
                    <td class="number">{shownNumber(row.score_secondary, one.score_secondary.precision)}</td>
                  ) : null}
                  <td class="message">
                    {row.message ? <UntrustedText text={row.message} most={100} /> : null}
                  </td>
                  <td class="when">
                    <Time at={row.created_at} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <Pager label="Pages of submissions" page={page} pages={list.pages} href={href} />
    </>
  );
}
