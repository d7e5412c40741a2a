import { FormToken } from "./layout.tsx";
import { Scroll } from "./scrollable.tsx";
import type { Visit } from "./session/sessions.ts";
import { Time, UntrustedText } from "./untrusted-text.tsx";

/** The licence under which code is published, and who agrees to it. */
export function AgreementPage({
  licence,
  agreedAt,
  visit,
  next,
  forgotten = false,
}: {
  licence: { text: string; digest: string };
  agreedAt: string | null;
  visit: Visit;
  next: string;
  /** The form came without its mark. */
  forgotten?: boolean;
}) {
  const { caller } = visit;
  return (
    <div class="narrow">
      <h1>Publishing under the MIT licence</h1>
      <p>
        Code that you publish, with a submission or later, is published under this licence. You are asked
        once.
      </p>
      <Scroll label="The text">
        <pre class="licence">{licence.text}</pre>
      </Scroll>
      <p class="note">
        SHA-256 of this text: <code class="digest">{licence.digest}</code>
      </p>
      {agreedAt ? (
        <p class="panel agreed" role="status">
          You agreed to this text on <Time at={agreedAt} />.{" "}
          {next === "/" ? null : (
            <a class="button primary" href={next}>
              Go on
            </a>
          )}
        </p>
      ) : caller?.kind === "participant" ? (
        <form method="post" action="/agreement/mit" class="panel">
          <FormToken visit={visit} />
          <input type="hidden" name="digest" value={licence.digest} />
          <input type="hidden" name="next" value={next} />
          <p>
            You are signed in as{" "}
            <strong>
              <UntrustedText text={caller.name} most={100} />
            </strong>
            .
          </p>
          <label class="check">
            <input
              type="checkbox"
              name="agree"
              value="yes"
              required
              aria-invalid={forgotten ? "true" : undefined}
              aria-describedby={forgotten ? "forgotten" : undefined}
            />{" "}
            I publish my code under the MIT licence as it stands above, and I may do so.
          </label>
          {forgotten ? (
            <p id="forgotten" class="mistake" role="alert">
              Mark the box to agree.
            </p>
          ) : null}
          <p class="note">
            Kept with it: the time, your address, your browser’s name for itself, and the text’s digest.
          </p>
          <button type="submit" class="primary">
            I agree
          </button>
        </form>
      ) : caller ? (
        <p class="panel">You are signed in with an organiser’s key. Only participants publish code.</p>
      ) : (
        <p class="panel">
          <a class="button primary" href={`/sign-in?next=${encodeURIComponent("/agreement/mit")}`}>
            Sign in to agree
          </a>
        </p>
      )}
    </div>
  );
}
