/** Neither the admin's nor a fitting organiser's key. */
export class Unauthorized extends Error {
  override readonly name = "Unauthorized";
}

/** A refusal in the webapp's words: its status, and the text that callers pass on to people. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: 400 | 401 | 404 | 413 | 500;

  constructor(message: string, status: Refusal["status"] = 400) {
    super(message);
    this.status = status;
  }
}
