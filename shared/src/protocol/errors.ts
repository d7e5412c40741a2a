import { type CatalogRow, catalog, type ErrorCode, type Fault } from "./error-catalog.ts";

export { type CatalogRow, catalog, type ErrorCode, type Fault } from "./error-catalog.ts";

/** An error as it is sent, printed as JSON and stored with a submission. */
export interface ErrorBody {
  code: ErrorCode;
  fault: Fault;
  message: string;
  next: string;
  retryable: boolean;
  details?: Record<string, unknown>;
  /** Of the request that the broker refused; its log has it too. */
  request_id?: string;
}

/**
 * An expected error. `message` is written for people and reveals nothing private; `details` is for programs.
 */
export class CrowdaiError extends Error {
  override readonly name = "CrowdaiError";
  readonly code: ErrorCode;
  readonly details: Record<string, unknown> | undefined;
  readonly next: string;
  /** Set by the broker when it refuses a request, and by the client that reads the refusal. */
  requestId: string | undefined;

  constructor(
    code: ErrorCode,
    message?: string,
    options: { details?: Record<string, unknown>; next?: string; cause?: unknown } = {},
  ) {
    super(message ?? catalog[code].title, { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.next = options.next ?? catalog[code].next;
  }

  get row(): CatalogRow {
    return catalog[this.code];
  }
  get fault(): Fault {
    return this.row.fault;
  }
  get exitCode(): number {
    return this.row.exit;
  }
  get retryable(): boolean {
    return this.row.retryable;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      fault: this.fault,
      message: this.message,
      next: this.next,
      retryable: this.retryable,
      ...(this.details ? { details: this.details } : {}),
      ...(this.requestId ? { request_id: this.requestId } : {}),
    };
  }

  /** Rebuilds a received error. A code that this version does not know becomes "unexpected". */
  static fromBody(body: {
    code: string;
    message: string;
    next?: string;
    details?: Record<string, unknown>;
    request_id?: string;
  }): CrowdaiError {
    const code = Object.hasOwn(catalog, body.code) ? (body.code as ErrorCode) : "unexpected";
    const error = new CrowdaiError(code, body.message, { details: body.details, next: body.next });
    error.requestId = body.request_id;
    return error;
  }
}

/**
 * Returns a CrowdaiError unchanged, and wraps anything else as "unexpected" with the original as its cause.
 */
export function asCrowdaiError(thrown: unknown): CrowdaiError {
  if (thrown instanceof CrowdaiError) return thrown;
  return new CrowdaiError("unexpected", catalog.unexpected.title, { cause: thrown });
}
