import { catalog } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { shownNumber } from "./format.ts";
import { pathTo } from "./path-to.tsx";
import { Scroll } from "./scrollable.tsx";
import { StateTag } from "./state-tag.tsx";
import type { SubmissionList } from "./submission-list.ts";
import { Time, UntrustedName, UntrustedText } from "./untrusted-text.tsx";

type Row = SubmissionList["rows"][number];

/** The rows of a list of submissions, folded in a narrow window as those of a leaderboard are. */
export function SubmissionRows({
  list: { rows, challenge },
  own,
  config,
}: {
  list: SubmissionList;
  own: boolean;
  /** Returns a challenge's settings by id. */
  config: (id: string) => ChallengeConfig | undefined;
}) {
  const one = challenge === null ? undefined : config(challenge);
  const challengeOf = (row: Row) => (
    <a href={pathTo(`/challenges/${row.challenge}`)}>
      <UntrustedText text={config(row.challenge)?.title ?? row.challenge} most={60} />
    </a>
  );
  return (
    <Scroll label="Submissions">
      <table class="submissions">
        <caption class="unseen">Submissions, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Submission</th>
            {own ? null : (
              <th scope="col" class="wide">
                Participant
              </th>
            )}
            {challenge ? null : (
              <th scope="col" class="wide">
                Challenge
              </th>
            )}
            <th scope="col">State</th>
            <th scope="col" class="number">
              {one ? <UntrustedText text={one.score.title} most={40} /> : "Score"}
            </th>
            {one?.score_secondary ? (
              <th scope="col" class="number wide">
                <UntrustedText text={one.score_secondary.title} most={40} />
              </th>
            ) : null}
            <th scope="col" class="wide">
              Message
            </th>
            <th scope="col" class="wide">
              Submitted
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              <th scope="row" class="name">
                <a href={pathTo(`/submissions/${row.id}`)}>
                  <code>{row.id.slice(0, 16)}</code>
                </a>
                <span class="folded">
                  {own ? null : (
                    <>
                      <UntrustedName text={row.participant} /> ·{" "}
                    </>
                  )}
                  {challenge ? null : <>{challengeOf(row)} · </>}
                  <Time at={row.created_at} form="short" />
                  <Message row={row} />
                </span>
              </th>
              {own ? null : (
                <td class="wide">
                  <UntrustedName text={row.participant} />
                </td>
              )}
              {challenge ? null : <td class="wide">{challengeOf(row)}</td>}
              <td>
                <StateTag state={row.state} />
                {row.counts ? <span class="tag you">best</span> : null}
              </td>
              <td class="number score">
                <Score row={row} precision={config(row.challenge)?.score.precision ?? 3} />
              </td>
              {one?.score_secondary ? (
                <td class="number wide">{shownNumber(row.score_secondary, one.score_secondary.precision)}</td>
              ) : null}
              <td class="message wide main">
                <Message row={row} />
              </td>
              <td class="when wide">
                <Time at={row.created_at} form="short" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** The score; of a submission that was re-graded, the one before too. */
function Score({ row, precision }: { row: Row; precision: number }) {
  const before = shownNumber(row.score_before, precision);
  return (
    <>
      {shownNumber(row.score, precision)}
      {row.regraded_at !== null && row.score_before !== row.score ? (
        <span class="was">was {row.score_before === null ? "not graded" : before}</span>
      ) : null}
    </>
  );
}

/** The participant's message, and why the submission failed. */
function Message({ row }: { row: Row }) {
  const { message, state, error_code: code } = row;
  const reason = row.error_message ?? (code && catalog[code]?.title);
  return (
    <>
      {message ? (
        <span class="own-message">
          <UntrustedText text={message} most={100} />
        </span>
      ) : null}
      {state === "failed" && reason ? (
        <span class="reason">
          <UntrustedText text={reason} most={200} />
        </span>
      ) : null}
    </>
  );
}
