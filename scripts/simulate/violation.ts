/** A promise of the product that a schedule broke. */
export class Violation extends Error {
  /** Which one, in a few words. */
  readonly promise: string;

  constructor(promise: string, message: string) {
    super(`${promise}: ${message}`);
    this.name = "Violation";
    this.promise = promise;
  }
}
