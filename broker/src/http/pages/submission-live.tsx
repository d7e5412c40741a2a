import { isFinal, RUN_STAGES, type RunStage, type Submission, type SubmissionEvent } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { isDetailedResults } from "../../domain/submissions/artifacts.ts";
import { plural, shownNumber, shownSize, truncateText } from "./format.ts";
import { MediaView, webAddress } from "./media-view.tsx";
import { pathTo } from "./path-to.tsx";
import { RunSection, StageList } from "./run-section.tsx";
import { Scroll } from "./scrollable.tsx";
import { SelectionForm } from "./selection-form.tsx";
import type { Visit } from "./session/sessions.ts";
import { SessionSection } from "./session-section.tsx";
import { StateTag } from "./state-tag.tsx";
import { Digest, Time, UntrustedParagraphs, UntrustedText } from "./untrusted-text.tsx";

const LOG_LINES = 500;

export interface LiveProps {
  submission: Submission;
  events: SubmissionEvent[];
  config: ChallengeConfig | undefined;
  /** The reader, if they may select it for the final ranking. */
  selector: Visit | null;
  /** Whether its media are still being made, which happens after the grade. */
  mediaAwaited: boolean;
}

/**
 * The parts of a submission that change until it is graded and its media are ready. The script fetches them
 * at each event.
 */
export function SubmissionLive({ submission, events, config, selector, mediaAwaited }: LiveProps) {
  const { id, state, error } = submission;
  const log = events.filter(({ type }) => type === "log").slice(-LOG_LINES);
  return (
    <div
      id="submission-live"
      data-live={isFinal(state) && !mediaAwaited ? undefined : pathTo(`/submissions/${id}/events`)}
      data-source={pathTo(`/submissions/${id}/live`)}
      data-announcement={announcement(submission, config)}
    >
      <p class="state">
        <StateTag state={state} />
        {submission.standing?.best ? <span class="tag graded">personal best</span> : null}
        {submission.selected ? <span class="tag">selected for the final ranking</span> : null}
        {submission.post_challenge ? <span class="tag">after the end</span> : null}
      </p>
      {isFinal(state) ? null : <Waiting submission={submission} events={events} />}
      {state === "grading" ? <StageList events={events} planned={plannedStages(config, submission)} /> : null}
      {state === "graded" ? <Scores submission={submission} config={config} /> : null}
      {selector ? <SelectionForm submission={submission} visit={selector} /> : null}
      {submission.grading_message ? (
        <>
          <h2>Evaluator</h2>
          <UntrustedParagraphs text={submission.grading_message} />
        </>
      ) : null}
      {error ? (
        <div class="problem panel">
          <p class="words" dir="auto">
            <strong>{error.code}</strong>: {truncateText(error.message, 10_000)}
          </p>
          <p>{truncateText(error.next, 500)}</p>
        </div>
      ) : null}
      {submission.environment ? <SessionSection environment={submission.environment} /> : null}
      {submission.run ? <RunSection run={submission.run} /> : null}
      <Media submission={submission} awaited={mediaAwaited} />
      <DetailedResults submission={submission} />
      <Artifacts submission={submission} />
      {log.length > 0 ? (
        <section aria-labelledby="log">
          <h2 id="log">Log</h2>
          <Scroll label="Log">
            <pre class="log">
              {log.map(({ data }) => `${truncateText(String(data.message ?? ""), 2000)}\n`).join("")}
            </pre>
          </Scroll>
        </section>
      ) : null}
    </div>
  );
}

function plannedStages(config: ChallengeConfig | undefined, { input }: Submission): RunStage[] {
  if (config?.environment && input?.kind === "code")
    return Array.isArray(config.environment.code.build) ? ["build", "play"] : ["play"];
  if (!config?.run) return [];
  const { build, sample } = config.run;
  return RUN_STAGES.filter(
    // Whether there is something to build is known only once it begins, except with a command.
    (stage) => (stage === "build" ? Array.isArray(build) : stage === "sample" ? sample !== null : true),
  );
}

function Media({ submission, awaited }: { submission: Submission; awaited: boolean }) {
  const { media, media_dropped: dropped } = submission;
  if (!media && !dropped && !awaited) return null;
  return (
    <section aria-labelledby="media">
      <h2 id="media">Media</h2>
      {media ? <MediaView media={media} /> : null}
      {awaited ? (
        <p class="note">The media are being prepared.</p>
      ) : dropped ? (
        <p class="note">Not shown: {truncateText(dropped, 500)}</p>
      ) : null}
    </section>
  );
}

function announcement({ state, score, media }: Submission, config: ChallengeConfig | undefined): string {
  if (state !== "graded") return `State: ${state}.`;
  const grade = `${truncateText(config?.score.title ?? "score", 60)} ${shownNumber(score, config?.score.precision ?? 3)}`;
  return `Graded: ${grade}.${media ? " Its media are ready." : ""}`;
}

function Waiting({ submission, events }: { submission: Submission; events: SubmissionEvent[] }) {
  const { state, place, waiting, expected_at } = submission;
  if (state === "grading") {
    const started = events.findLastIndex(({ type }) => type === "grading");
    const progress = events.slice(started).findLast(({ type }) => type === "progress");
    // A stage that begins has no percentage yet.
    const known = progress?.data.percent;
    const percent = typeof known === "number" ? Math.min(100, Math.max(0, known)) : null;
    return (
      <div class="progress">
        <label for="progress">
          Grading{percent === null ? "" : `: ${Math.round(percent)} %`}
          {progress?.data.message ? (
            <>
              {" "}
              · <UntrustedText text={String(progress.data.message)} most={200} />
            </>
          ) : null}
        </label>
        {percent === null ? <progress id="progress" /> : <progress id="progress" max={100} value={percent} />}
      </div>
    );
  }
  return (
    <div class="panel">
      <p>
        {state === "initiated"
          ? "The upload is in progress."
          : place === null
            ? "Waiting for a grader."
            : place === 1
              ? "Next in the queue."
              : `Position ${place} in the queue.`}
        {expected_at ? (
          <>
            {" "}
            Grading is expected to start at <Time at={expected_at} />.
          </>
        ) : null}
      </p>
      {waiting ? <p>{truncateText(waiting, 500)}</p> : null}
    </div>
  );
}

function Scores({ submission, config }: { submission: Submission; config: ChallengeConfig | undefined }) {
  const { score, score_secondary, rank, rank_before, standing, regraded } = submission;
  const rankNow = standing?.rank ?? null;
  const before =
    rank === null || rank_before === null || rank_before === rank
      ? null
      : `${rank < rank_before ? "up" : "down"} from ${rank_before}`;
  return (
    <dl class="figures large">
      <div>
        <dt>
          <UntrustedText text={config?.score.title ?? "Score"} most={60} />
        </dt>
        <dd>
          {shownNumber(score, config?.score.precision ?? 3)}
          {regraded && regraded.score_before !== score ? (
            <span class="was">
              was{" "}
              {regraded.score_before === null
                ? "not graded"
                : shownNumber(regraded.score_before, config?.score.precision ?? 3)}{" "}
              before the re-grade
            </span>
          ) : null}
        </dd>
      </div>
      {submission.score_final === null ? null : (
        <div>
          <dt>final</dt>
          <dd>{shownNumber(submission.score_final, config?.score.precision ?? 3)}</dd>
        </div>
      )}
      {config?.score_secondary ? (
        <div>
          <dt>
            <UntrustedText text={config.score_secondary.title} most={60} />
          </dt>
          <dd>{shownNumber(score_secondary, config.score_secondary.precision)}</dd>
        </div>
      ) : null}
      {config?.columns.map(({ key, title, precision }) =>
        submission.columns[key] == null ? null : (
          <div>
            <dt>
              <UntrustedText text={title ?? key} most={60} />
            </dt>
            <dd>{shownNumber(submission.columns[key], precision)}</dd>
          </div>
        ),
      )}
      {rankNow === null ? null : (
        <div>
          <dt>rank now{standing?.best ? "" : ", by another submission"}</dt>
          <dd>{rankNow}</dd>
        </div>
      )}
      {rank === null ? null : (
        <div>
          <dt>
            {standing ? "rank when graded" : "rank"}
            {before ? `, ${before}` : ""}
          </dt>
          <dd>{rank}</dd>
        </div>
      )}
    </dl>
  );
}

/** A page that the evaluator wrote: in a frame without scripts, forms and the reader's session. */
function DetailedResults({ submission: { id, artifacts } }: { submission: Submission }) {
  if (!artifacts.some(isDetailedResults)) return null;
  const address = pathTo(`/submissions/${id}/detailed-results`);
  return (
    <section aria-labelledby="detailed-results">
      <h2 id="detailed-results">Detailed results</h2>
      <iframe class="foreign" sandbox="" src={address} title="Detailed results" loading="lazy" />
      <p class="note">
        The evaluator wrote this page for you. It runs no scripts. <a href={address}>Open it alone</a>
      </p>
    </section>
  );
}

function Artifacts({ submission: { artifacts } }: { submission: Submission }) {
  if (artifacts.length === 0) return null;
  return (
    <section aria-labelledby="artifacts">
      <h2 id="artifacts">{plural(artifacts.length, "artifact")}</h2>
      <ul class="files">
        {artifacts.map(({ name, size, sha256, url, kind }) => {
          const address = webAddress(url);
          return (
            <li>
              {address ? (
                <a href={address} rel="nofollow">
                  <UntrustedText text={name} />
                </a>
              ) : (
                <UntrustedText text={name} />
              )}{" "}
              <span class="size">{shownSize(size)}</span>{" "}
              {kind === "model" ? <span class="tag">model</span> : null}
              <Digest sha256={sha256} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}
