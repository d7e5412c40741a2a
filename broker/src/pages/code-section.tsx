import type { Submission } from "@crowdai/shared";
import type { SubmissionAccess } from "./access.ts";
import { DiffView } from "./diff-view.tsx";
import { plural, shownSize } from "./format.ts";
import { FormToken } from "./layout.tsx";
import { webAddress } from "./media.tsx";
import { Time } from "./outside.tsx";
import { Commands } from "./scroll.tsx";
import type { Visit } from "./session/sessions.ts";

export interface CodeSectionProps {
  submission: Submission;
  access: SubmissionAccess;
  visit: Visit;
  broker: string;
  /** Whether the reader may publish: where not, the button leads to the agreement. */
  agreed: boolean;
  diff: { before: string; text: string; truncated: boolean } | null;
}

const STATES = {
  awaited: "The code is on its way.",
  stored: "",
  missing: "The code never arrived. The grade stands without it.",
};

/** The code that made a submission: where it is, what changed since the one before, and whether it is published. */
export function CodeSection(props: CodeSectionProps) {
  const { submission, access, broker, diff } = props;
  const { code, id } = submission;
  if (!code) return null;
  const readable = access !== "other" || submission.published_at !== null;
  const address = webAddress(code.url);
  return (
    <section aria-labelledby="code">
      <h2 id="code">Code</h2>
      {STATES[code.state] ? <p>{STATES[code.state]}</p> : null}
      <p>
        Commit <code>{code.commit.slice(0, 12)}</code>, {plural(code.files, "file")}, {shownSize(code.bytes)}.{" "}
        {submission.published_at ? (
          <>
            Published under the MIT licence <Time at={submission.published_at} />.
          </>
        ) : submission.publish ? (
          "Becomes public under the MIT licence when the challenge closes."
        ) : (
          "Not published."
        )}
      </p>
      {code.state === "stored" && readable ? (
        <>
          <Commands
            label="How to get the code"
            text={[
              `npx crowdai clone ${id} --broker ${broker}`,
              ...(address ? [`git clone ${address}`] : []),
              ...(address && code.tag ? [`git checkout ${code.tag}`] : []),
            ].join("\n")}
          />
          <p class="actions">
            {access === "own" ? <PublishLinks {...props} /> : null}
            <a class="button" href={`/submissions/${id}/fork`}>
              Fork
            </a>
          </p>
        </>
      ) : null}
      {diff ? (
        <>
          <h3>
            Changes since{" "}
            <a href={`/submissions/${diff.before}`}>
              <code>{diff.before.slice(0, 16)}</code>
            </a>
          </h3>
          <DiffView {...diff} />
        </>
      ) : null}
    </section>
  );
}

function PublishLinks({ submission: { id, publish, published_at } }: CodeSectionProps) {
  if (published_at) return null;
  return publish ? (
    <a class="button" href={`/submissions/${id}/unpublish`}>
      Unpublish
    </a>
  ) : (
    <a class="button primary" href={`/submissions/${id}/publish`}>
      Publish
    </a>
  );
}

/** Asks once more before code is published or taken back. */
export function PublishQuestion({
  id,
  verb,
  visit,
  agreed,
}: {
  id: string;
  verb: "publish" | "unpublish";
  visit: Visit;
  agreed: boolean;
}) {
  const back = `/submissions/${id}`;
  const needsAgreement = verb === "publish" && !agreed;
  return (
    <div class="narrow">
      <h1>{verb === "publish" ? "Publish this code?" : "Take this code back?"}</h1>
      <p>
        Submission <code>{id}</code>.{" "}
        {verb === "publish"
          ? "Its code becomes public under the MIT licence when the challenge closes. Until then you may take it back."
          : "Its code stays yours alone. You may publish it later."}
      </p>
      {needsAgreement ? (
        <p class="panel">
          Publishing needs your agreement to the MIT licence, once.{" "}
          <a class="button primary" href={`/agreement/mit?next=${encodeURIComponent(`${back}/publish`)}`}>
            Read and agree
          </a>
        </p>
      ) : (
        <form method="post" action={`${back}/${verb}`} class="actions">
          <FormToken visit={visit} />
          <button type="submit" class="primary">
            {verb === "publish" ? "Publish it" : "Take it back"}
          </button>
          <a class="button" href={back}>
            Leave it
          </a>
        </form>
      )}
    </div>
  );
}

/** How to go on from somebody's code. */
export function ForkPage({ submission, broker }: { submission: Submission; broker: string }) {
  const { id, code } = submission;
  const address = webAddress(code?.url ?? null);
  const host =
    address && /^https:\/\/(github|gitlab)\.com\//.test(address) ? address.replace(/\.git$/, "") : null;
  return (
    <div class="narrow">
      <h1>Go on from this code</h1>
      <p>A fork is a clone of the participant’s repository with your own remote set. In a terminal:</p>
      <Commands label="How to fork" text={`npx crowdai fork ${id} --broker ${broker}`} />
      {host ? (
        <p>
          Or{" "}
          <a
            href={host.includes("github.com") ? `${host}/fork` : `${host}/-/forks/new`}
            rel="noopener nofollow"
          >
            fork it there
          </a>
          .
        </p>
      ) : null}
      <p>
        <a href={`/submissions/${id}`}>Back to the submission</a>
      </p>
    </div>
  );
}
