/** The message and the acknowledgment of an event of a connection. */
export interface EventArguments {
  /** Undefined when the client sent none, or only a function to call. */
  message: unknown;
  /** Null when the client does not wait for an answer. */
  acknowledge: ((...answer: unknown[]) => void) | null;
}

/**
 * The acknowledgement is always last, however many values a client sent: one that waits for an answer gets
 * one.
 */
export function eventArguments(sent: readonly unknown[]): EventArguments {
  const last = sent.at(-1);
  if (typeof last !== "function") return { message: sent[0], acknowledge: null };
  return {
    message: sent.length > 1 ? sent[0] : undefined,
    acknowledge: last as EventArguments["acknowledge"],
  };
}
