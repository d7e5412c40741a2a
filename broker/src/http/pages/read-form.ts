import { CrowdaiError } from "@crowdai/shared";
import type { Context } from "hono";

/** Reads the fields of a form. Throws usage when the body is not the form that its content type announces. */
export async function readForm(c: Context): Promise<Record<string, string | File>> {
  // Read first, so that a client that leaves is not reported as a malformed form.
  await c.req.arrayBuffer();
  return c.req.parseBody().catch((cause) => {
    throw new CrowdaiError("usage", "The form is malformed.", {
      next: "Reload the page and send the form again.",
      cause,
    });
  });
}
