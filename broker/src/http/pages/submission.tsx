import type { Profile } from "@crowdai/shared";
import { CodeSection, type CodeSectionProps } from "./code-section.tsx";
import { DisqualifiedNotice } from "./disqualified-notice.tsx";
import { shownSize } from "./format.ts";
import { ParticipantName, ProfileDetails } from "./participant-name.tsx";
import { pathTo } from "./path-to.tsx";
import { type LiveProps, SubmissionLive } from "./submission-live.tsx";
import { Time, UntrustedParagraphs, UntrustedText } from "./untrusted-text.tsx";

const INPUTS = { json: "a JSON value", file: "a file", code: "code", session: "a remote agent" };

/** A submission: its state, scores, media and code, live while it is graded. */
export function SubmissionPage(props: LiveProps & CodeSectionProps & { profile: Profile | null }) {
  const { submission, config, profile } = props;
  const { input } = submission;
  return (
    <>
      <div class="opening">
        <h1>
          Submission <code>{submission.id.slice(0, 24)}</code>
        </h1>
        <p class="state">
          <a href={pathTo(`/challenges/${submission.challenge}`)}>
            <UntrustedText text={config?.title ?? submission.challenge} most={120} />
          </a>
          , by <ParticipantName account={submission.participant} profile={profile} />
          <ProfileDetails profile={profile} isFirst={false} />
          {submission.member ? (
            <>
              {" "}
              (<UntrustedText text={submission.member} most={60} />)
            </>
          ) : null}
          , <Time at={submission.created_at} />
          {submission.sealed_at ? (
            <>
              {" "}
              (sealed <Time at={submission.sealed_at} /> by the sender's clock)
            </>
          ) : null}
        </p>
        <DisqualifiedNotice found={submission.disqualified ? [submission.disqualified] : []} />
        {submission.message ? <UntrustedParagraphs text={submission.message} /> : null}
      </div>
      <div class="columns">
        <div class="main-column">
          <SubmissionLive {...props} />
          <CodeSection {...props} />
        </div>
        <div class="side-column">
          <section aria-labelledby="facts">
            <h2 id="facts">Details</h2>
            <dl class="facts">
              <Fact name="Number" value={String(submission.number)} />
              <Fact name="Round" value={submission.round} />
              {submission.accepted_at ? <Fact name="Accepted" at={submission.accepted_at} /> : null}
              {submission.finished_at ? <Fact name="Finished" at={submission.finished_at} /> : null}
              {input === null ? null : (
                <>
                  <Fact
                    name="Input"
                    value={
                      input.kind === "session"
                        ? INPUTS.session
                        : `${input.name ?? INPUTS[input.kind]}, ${shownSize(input.size)}`
                    }
                  />
                  {input.kind === "code" || input.kind === "session" ? null : (
                    <Fact name="SHA-256" value={input.sha256} code />
                  )}
                  <Fact name="Slot" value={submission.slot} />
                  {submission.attempt > 1 ? (
                    <Fact name="Attempts" value={String(submission.attempt)} />
                  ) : null}
                </>
              )}
              {submission.regraded ? <Fact name="Re-graded" at={submission.regraded.at} /> : null}
            </dl>
          </section>
        </div>
      </div>
    </>
  );
}

function Fact({ name, value, at, code }: { name: string; value?: string; at?: string; code?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={code ? "digest" : undefined}>
        {at ? <Time at={at} /> : <UntrustedText text={value ?? ""} most={200} />}
      </dd>
    </div>
  );
}
