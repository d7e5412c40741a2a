/** The other side was not reached, or went away in the middle. `code` is the system's word for it, as ECONNREFUSED. */
export class NetworkFault extends Error {
  override readonly name = "NetworkFault";
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** The fault that a system error amounts to. */
export function faultOf(error: NodeJS.ErrnoException): NetworkFault {
  return new NetworkFault(describe(error), error.code ?? "EIO", error);
}

function describe(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "nothing listens there";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the name cannot be resolved";
    case "ECONNRESET":
    case "EPIPE":
      return "the connection was cut";
    default:
      return error.message || error.code || "the connection failed";
  }
}

/** Whether what broke was the network, and not somebody there who speaks no HTTP. */
export function isHttp(fault: NetworkFault): boolean {
  return !fault.code.startsWith("HPE_") && !["EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER"].includes(fault.code);
}
