/** A mutant that no test notices, and why none has to. */
export interface NamedSurvivor {
  file: string;
  /** The line of the source, without indentation. */
  source: string;
  /** As `npm run mutate` prints it. */
  change: string;
  because: string;
}

/** Each was looked at. `npm run mutate` fails where one of them is not a survivor any more. */
export const SURVIVORS: readonly NamedSurvivor[] = [];
