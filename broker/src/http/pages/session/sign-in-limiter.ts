import { CrowdaiError } from "@crowdai/shared";

const MAX_WRONG_KEYS = 10;
const WINDOW_MS = 15 * 60_000;
const MAX_ADDRESSES = 10_000;

/** Counts wrong keys by address. After ten within 15 minutes, the address has to wait. */
export function createSignInLimiter(now: () => number = Date.now) {
  const wrong = new Map<string, { count: number; until: number }>();
  return {
    /** Throws too_many_requests while the address has to wait. */
    admit(address: string): void {
      const seen = wrong.get(address);
      if (!seen || seen.until <= now() || seen.count < MAX_WRONG_KEYS) return;
      const minutes = Math.ceil((seen.until - now()) / 60_000);
      throw new CrowdaiError("too_many_requests", "Your address sent too many wrong keys.", {
        next: `Try again in ${minutes} min.`,
        details: { seconds: Math.ceil((seen.until - now()) / 1000) },
      });
    },
    note(address: string): void {
      const seen = wrong.get(address);
      wrong.delete(address);
      wrong.set(
        address,
        seen && seen.until > now()
          ? { ...seen, count: seen.count + 1 }
          : { count: 1, until: now() + WINDOW_MS },
      );
      // Drops the oldest address, so that memory stays bounded.
      if (wrong.size > MAX_ADDRESSES) wrong.delete(wrong.keys().next().value as string);
    },
  };
}
export type SignInLimiter = ReturnType<typeof createSignInLimiter>;
