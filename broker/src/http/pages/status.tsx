import type { ServedChallenge } from "../../domain/challenges/catalog.ts";
import type { ChallengeStatus, UngradedSubmission } from "../../domain/status/challenge-status.ts";
import { pathTo } from "./path-to.tsx";
import { Scroll } from "./scrollable.tsx";
import { Time, UntrustedName, UntrustedText } from "./untrusted-text.tsx";

/** The status of a challenge, for its organizers. */
export function StatusPage({
  challenge,
  status,
  now,
}: {
  challenge: ServedChallenge;
  status: ChallengeStatus;
  now: Date;
}) {
  const { config, version } = challenge;
  const day = status.submissions_by_hour.reduce((sum, { submissions }) => sum + submissions, 0);
  return (
    <>
      <div class="opening">
        <h1>
          Status of <UntrustedText text={config.title} most={300} />
        </h1>
        <p>
          As of <Time at={now.toISOString()} />. Only organizers of this challenge see this page.{" "}
          <a href={pathTo(`/challenges/${encodeURIComponent(config.id)}`)}>Challenge</a>
        </p>
      </div>
      <section aria-labelledby="queue">
        <h2 id="queue">Queue</h2>
        <dl class="facts">
          <Fact name="Waiting">
            {status.waiting}
            {status.waiting_since === null ? null : (
              <>
                , the first since <Time at={status.waiting_since} />
              </>
            )}
          </Fact>
          <Fact name="In grading">{status.grading}</Fact>
          <Fact name="Graders">
            {status.graders.length === 0
              ? "none"
              : status.graders.map((name, index) => (
                  <>
                    {index > 0 ? ", " : null}
                    <UntrustedName text={name} />
                  </>
                ))}
          </Fact>
          {status.unable.map((reason) => (
            <Fact name="Cannot run it">
              <UntrustedText text={reason} most={500} />
            </Fact>
          ))}
        </dl>
      </section>
      <section aria-labelledby="ungraded">
        <h2 id="ungraded">Not graded, last 24 hours</h2>
        {status.ungraded.length === 0 ? (
          <p class="empty">Nothing failed for a reason outside the submission.</p>
        ) : (
          status.ungraded.map((one) => <Ungraded one={one} />)
        )}
      </section>
      <section aria-labelledby="versions">
        <h2 id="versions">Versions on the leaderboard</h2>
        {status.versions.length === 0 ? <p class="empty">No entries yet.</p> : null}
        {status.versions.some((one) => one.version !== version) ? (
          <p>
            Some entries were graded by another version than the current one, <code>{version}</code>. A
            regrade makes them comparable.
          </p>
        ) : null}
        {status.versions.length === 0 ? null : (
          <Scroll label="Versions on the leaderboard">
            <table>
              <thead>
                <tr>
                  <th scope="col">Version</th>
                  <th scope="col" class="number">
                    Entries
                  </th>
                </tr>
              </thead>
              <tbody>
                {status.versions.map((one) => (
                  <tr>
                    <td>
                      <UntrustedName text={one.version ?? "unknown"} />
                      {one.version === version ? " (current)" : null}
                    </td>
                    <td class="number">{one.entries}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
      </section>
      <section aria-labelledby="hours">
        <h2 id="hours">Submissions, last 24 hours: {day}</h2>
        <Hours status={status} />
      </section>
      {status.webhooks.length === 0 ? null : (
        <section aria-labelledby="webhooks">
          <h2 id="webhooks">Webhooks</h2>
          <ul class="files">
            {status.webhooks.map(({ host, waiting, given_up, problem }) => (
              <li>
                <UntrustedText text={host} />: {waiting} waiting, {given_up} given up
                {problem === null ? null : `; latest problem: ${problem}`}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Fact({ name, children }: { name: string; children?: unknown }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children as never}</dd>
    </div>
  );
}

function Ungraded({ one }: { one: UngradedSubmission }) {
  return (
    <article>
      <p>
        <a href={pathTo(`/submissions/${one.submission}`)}>{one.submission}</a>, <Time at={one.at} />:{" "}
        <UntrustedText text={one.message} most={500} /> <code>{one.code}</code>
      </p>
      {one.log.length === 0 ? null : (
        <Scroll label={`Log of ${one.submission}`}>
          <pre>
            <code>{one.log.join("\n")}</code>
          </pre>
        </Scroll>
      )}
    </article>
  );
}

function Hours({ status }: { status: ChallengeStatus }) {
  if (status.submissions_by_hour.length === 0) return <p class="empty">None.</p>;
  return (
    <Scroll label="Submissions by hour">
      <table>
        <thead>
          <tr>
            <th scope="col">Hour from</th>
            <th scope="col" class="number">
              Submissions
            </th>
          </tr>
        </thead>
        <tbody>
          {status.submissions_by_hour.map(({ hour, submissions }) => (
            <tr>
              <td>
                <Time at={hour.replace("Z", ":00.000Z")} form="short" />
              </td>
              <td class="number">{submissions}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
