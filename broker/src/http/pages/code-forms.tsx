import type { CodePlace } from "@crowdai/shared";
import { FormToken } from "./layout.tsx";
import { webAddress } from "./media-view.tsx";
import { Commands } from "./scrollable.tsx";
import type { Visit } from "./session/sessions.ts";

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
          ? "Its code becomes public under the MIT licence when the challenge closes; until then you may take it back. Where the challenge has closed, it becomes public at once and for good."
          : "Its code stays yours alone. You may publish it later."}
      </p>
      {needsAgreement ? (
        <div class="panel">
          <p>Publishing needs your agreement to the MIT licence, once.</p>
          <a class="button primary" href={`/agreement/mit?next=${encodeURIComponent(`${back}/publish`)}`}>
            Read and agree
          </a>
        </div>
      ) : (
        <form method="post" action={`${back}/${verb}`} class="actions">
          <FormToken visit={visit} />
          <button type="submit" class="primary">
            {verb === "publish" ? "Publish it" : "Take it back"}
          </button>
          <a class="button" href={back}>
            Leave it as it is
          </a>
        </form>
      )}
    </div>
  );
}

/** How to go on from somebody's code. */
export function ForkPage({ place, broker }: { place: CodePlace; broker: string }) {
  const id = place.submission;
  return (
    <div class="narrow">
      <h1>Go on from this code</h1>
      <p>A fork is a clone of the participant’s repository with your own remote set. In a terminal:</p>
      <Commands label="How to fork" text={`npx crowdai fork ${id} --broker ${broker}`} />
      {place.fork_url && webAddress(place.fork_url) ? (
        <p>
          Or on its host:{" "}
          <a class="button" href={place.fork_url} rel="noopener nofollow">
            Fork it there
          </a>
        </p>
      ) : null}
      <p>
        <a href={`/submissions/${id}`}>Back to the submission</a>
      </p>
    </div>
  );
}
