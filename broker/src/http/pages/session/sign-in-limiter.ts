import { CrowdaiError } from "@crowdai/shared";

const MOST = 10;
const SPAN_MS = 15 * 60_000;
const ADDRESSES = 10_000;

/** Counts wrong keys by address: after ten in a quarter of an hour the address waits. */
export function createSignInLimiter(now: () => number = Date.now) {
  const wrong = new Map<string, { count: number; until: number }>();
  return {
    /** Throws too_many_requests while the address has to wait. */
    admit(address: string): void {
      const seen = wrong.get(address);
      if (!seen || seen.until <= now() || seen.count < MOST) return;
      const minutes = Math.ceil((seen.until - now()) / 60_000);
      throw new CrowdaiError("too_many_requests", "Too many wrong keys came from your address.", {
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
          : { count: 1, until: now() + SPAN_MS },
      );
      // The oldest goes first: memory stays small whoever tries.
      if (wrong.size > ADDRESSES) wrong.delete(wrong.keys().next().value as string);
    },
  };
}
export type SignInLimiter = ReturnType<typeof createSignInLimiter>;
