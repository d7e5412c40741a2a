import { CrowdaiError } from "./protocol/errors.ts";

/** Returns the system error code of an error or of one of its causes; null when there is none. */
export function systemCodeOf(thrown: unknown): string | null {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const { code } = error as NodeJS.ErrnoException;
    if (!(error instanceof CrowdaiError) && typeof code === "string" && /^E[A-Z0-9]+$/.test(code))
      return code;
  }
  return null;
}
