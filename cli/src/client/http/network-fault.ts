/**
 * The server was not reached, or the connection broke. `code` is the system's error code, such as
 * ECONNREFUSED.
 */
export class NetworkFault extends Error {
  override readonly name = "NetworkFault";
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Returns the fault for a system error. */
export function faultOf(error: NodeJS.ErrnoException): NetworkFault {
  return new NetworkFault(describe(error), error.code ?? "EIO", error);
}

function describe(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "nothing is listening on that port";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the host name cannot be resolved";
    case "ECONNRESET":
    case "EPIPE":
      return "the connection was closed early";
    default:
      return error.message || error.code || "the connection failed";
  }
}

/** Returns whether the network failed; false if a server answered in another protocol than HTTP. */
export function isHttp(fault: NetworkFault): boolean {
  return !fault.code.startsWith("HPE_") && !["EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER"].includes(fault.code);
}
