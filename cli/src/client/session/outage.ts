/** A change of the connection: lost and being tried again, or back after so many milliseconds. */
export type ConnectionChange = { state: "lost" } | { state: "back"; afterMs: number };

/**
 * A connection that is replaced, or a broker that restarts behind another one, is back before anybody need
 * know.
 */
const BRIEF_MS = 300;

/** Reports outages that are longer than brief, each once. Call `lost` and `back` as often as you like. */
export function createOutage(report: ((change: ConnectionChange) => void) | undefined) {
  let began: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isReported = false;
  const end = () => {
    clearTimeout(timer);
    began = undefined;
    isReported = false;
  };
  return {
    lost() {
      if (!report || began !== undefined) return;
      began = performance.now();
      timer = setTimeout(() => {
        isReported = true;
        report({ state: "lost" });
      }, BRIEF_MS);
      timer.unref();
    },
    back() {
      const change = isReported && { state: "back" as const, afterMs: performance.now() - began! };
      end();
      if (change) report?.(change);
    },
    end,
  };
}
