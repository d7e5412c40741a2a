import type { CrowdaiError } from "@crowdai/shared";
import { pathTo } from "./path-to.tsx";

/** The form that exchanges an API key for a session. `failed` is the error of the last attempt. */
export function SignIn({
  next,
  failed,
  why,
}: {
  next: string;
  failed?: CrowdaiError | undefined;
  why?: string | undefined;
}) {
  return (
    <div class="narrow">
      <h1>Sign in</h1>
      {why ? <p>{why}</p> : null}
      <form method="post" action={pathTo("/sign-in")} class="panel">
        <input type="hidden" name="next" value={next} />
        <label for="key">API key</label>
        <input
          id="key"
          name="key"
          type="password"
          required
          maxlength={200}
          autocomplete="current-password"
          spellcheck={false}
          autocapitalize="off"
          aria-describedby={failed ? "failed hint" : "hint"}
          aria-invalid={failed ? "true" : undefined}
        />
        {failed ? (
          <p id="failed" class="problem" role="alert">
            {failed.message} {failed.next}
          </p>
        ) : null}
        <p id="hint" class="note">
          The key that you submit with. The browser stays signed in for 8 hours and does not store the key.
        </p>
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
    </div>
  );
}
