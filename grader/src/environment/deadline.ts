/**
 * Calls a function once a moving deadline has passed. Moving it costs nothing: the timer looks again when it
 * fires.
 */
export interface Deadline extends Disposable {
  /** A time of `now`, or Infinity. */
  set(at: number): void;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

export function createDeadline(onPassed: () => void, now: () => number = () => performance.now()): Deadline {
  let at = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let fires = Number.POSITIVE_INFINITY;

  function arm(): void {
    clearTimeout(timer);
    timer = undefined;
    fires = at;
    if (at === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(look, Math.min(MAX_TIMER_MS, Math.max(0, Math.ceil(at - now()))));
  }

  function look(): void {
    timer = undefined;
    if (now() < at) arm();
    else {
      at = Number.POSITIVE_INFINITY;
      fires = at;
      onPassed();
    }
  }

  return {
    set(next) {
      at = next;
      // An earlier time needs another timer; a later one does not.
      if (at < fires) arm();
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      at = Number.POSITIVE_INFINITY;
    },
  };
}
