import type { ErrorCode } from "@crowdai/shared";

/** Why code was not run to its end. `message` is for the participant, `detail` for the organizer alone. */
export class RunFailure extends Error {
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, message: string, detail = "") {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}
