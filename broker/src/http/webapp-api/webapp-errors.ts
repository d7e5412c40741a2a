/** The key belongs neither to the admin nor to an organizer of the challenge. */
export class Unauthorized extends Error {
  override readonly name = "Unauthorized";
}

/** A refusal with the webapp's status and text, which callers show to users. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: 400 | 401 | 404 | 413 | 500;

  constructor(message: string, status: Refusal["status"] = 400) {
    super(message);
    this.status = status;
  }
}
