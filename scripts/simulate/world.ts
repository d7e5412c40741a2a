import { nextTick } from "node:process";
import type { Choices } from "./choices.ts";
import { Violation } from "./violation.ts";

/** A program of the simulation. After a crash, nothing that it waits for ever happens. */
export interface Program {
  readonly name: string;
  alive: boolean;
  /** Clients go on: what they were promised is what is checked. */
  readonly mortal: boolean;
  /** Called once, at its crash. */
  onCrash: (() => void)[];
}

interface Step {
  program: Program;
  label: string;
  isReady: () => boolean;
  resolve: () => void;
}

interface Timer {
  at: number;
  number: number;
  work: () => void;
}

/** A schedule that takes more steps has got stuck. */
const MAX_STEPS = 5000;
const CRASH_PERCENT = 2;
const EARLY_TIMER_PERCENT = 4;
/** Work that a program repeats is done less often, so that schedules are short. */
const RARER = 10;

/**
 * A clock, and programs that take turns. Each waits at its next step until the world lets it go on: in any
 * order, after any time, or never, because the program crashed. Between two steps, a program runs
 * undisturbed.
 */
export interface World {
  readonly choices: Choices;
  now(): Date;
  start(name: string, options?: { mortal: boolean }): Program;
  crash(program: Program): void;
  /** Resolves when it is this program's turn, and `isReady`. */
  step(program: Program, label: string, isReady?: () => boolean): Promise<void>;
  after(ms: number, work: () => void): void;
  /** Whether a fault happens now; each uses up one of the schedule's. */
  fault(label: string, percent: number): boolean;
  /** Crashes the program now and then. Returns whether it did. */
  mayCrash(program: Program, label: string): boolean;
  /** Lets programs take steps until `isOver`. */
  run(isOver: () => boolean): Promise<void>;
  /** Adds a line to the trace. */
  note(text: string): void;
  /** All lines so far. */
  trace(): string[];
}

export function createWorld(choices: Choices, { faults, begin }: { faults: number; begin: number }): World {
  let now = begin;
  let steps: Step[] = [];
  const timers: Timer[] = [];
  let timerCount = 0;
  let faultsLeft = faults;
  const notes: { at: number; text: string }[] = [];

  function fireNext(): void {
    const timer = timers.shift()!;
    now = Math.max(now, timer.at);
    timer.work();
  }

  function note(text: string): void {
    notes.push({ at: now, text });
  }

  const world: World = {
    choices,
    note,
    trace: () => notes.map(({ at, text }) => `${((at - begin) / 1000).toFixed(1).padStart(8)} s  ${text}`),
    now: () => new Date(now),
    start(name, { mortal } = { mortal: true }) {
      note(`${name} starts`);
      return { name, mortal, alive: true, onCrash: [] };
    },
    crash(program) {
      if (!program.alive) return;
      program.alive = false;
      steps = steps.filter((step) => step.program !== program);
      note(`${program.name} CRASHES`);
      for (const work of program.onCrash) work();
    },
    step(program, label, isReady = () => true) {
      return new Promise((resolve) => {
        if (program.alive) steps.push({ program, label, isReady, resolve });
      });
    },
    after(ms, work) {
      timers.push({ at: now + ms, number: timerCount++, work });
      timers.sort((one, other) => one.at - other.at || one.number - other.number);
    },
    fault(label, percent) {
      if (faultsLeft === 0 || !choices.chance(percent)) return false;
      faultsLeft--;
      note(`FAULT: ${label}`);
      return true;
    },
    mayCrash(program, label) {
      if (!program.alive || !program.mortal || !world.fault(`${program.name} at ${label}`, CRASH_PERCENT))
        return false;
      world.crash(program);
      return true;
    },
    async run(isOver) {
      for (let taken = 0; ; taken++) {
        await settled();
        if (isOver()) return;
        if (taken > MAX_STEPS) throw new Violation("nothing is stuck", "nothing ends any more");
        const ready = steps.filter(({ isReady }) => isReady());
        if (timers.length > 0 && (ready.length === 0 || choices.chance(EARLY_TIMER_PERCENT))) {
          fireNext();
          continue;
        }
        if (ready.length === 0) throw new Violation("nothing is stuck", "no program can go on");
        const step = ready[choices.pick(ready.length)]!;
        steps.splice(steps.indexOf(step), 1);
        if (world.mayCrash(step.program, step.label)) continue;
        // Most queries are those of scheduled work that finds nothing to do.
        if (step.label !== "queries") note(`${step.program.name}: ${step.label}`);
        step.resolve();
      }
    },
  };
  return world;
}

/**
 * Waits as a crashed program does. Each has a promise of its own: one for all would hold all that ever waited
 * for it in memory.
 */
export const never = (): Promise<never> => new Promise(() => {});

/**
 * Lets every program run on to its next step: Node.js calls what waits for the next tick when no promise has
 * work left.
 */
const settled = () => new Promise<void>((resolve) => nextTick(resolve));

/**
 * Replaces the timers and the clock of this process by those of the world until it is called again with null.
 */
export function useTimersOf(world: World | null): void {
  if (world === null) {
    Object.assign(globalThis, real);
    performance.now = realNow;
    return;
  }
  const cleared = new WeakSet<object>();
  const setTimeout = (work: (...values: unknown[]) => void, ms = 0, ...values: unknown[]) => {
    const handle = { unref: () => handle, ref: () => handle };
    world.after(ms, () => {
      if (!cleared.has(handle)) work(...values);
    });
    return handle;
  };
  const clearTimeout = (handle: object | undefined) => {
    if (handle) cleared.add(handle);
  };
  const setInterval = (work: () => void, ms: number) => {
    const handle = { unref: () => handle, ref: () => handle };
    const repeat = () =>
      world.after(ms * RARER, () => {
        if (cleared.has(handle)) return;
        work();
        repeat();
      });
    repeat();
    return handle;
  };
  Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval: clearTimeout });
  performance.now = () => world.now().getTime();
}

const realNow = performance.now.bind(performance);
const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
};
