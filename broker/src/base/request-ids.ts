import { randomUUID } from "node:crypto";

const ids = new WeakMap<Request, string>();

/** Returns a new id, by which the log and an error name the same request. */
export function createRequestId(): string {
  return randomUUID().replaceAll("-", "").slice(0, 16);
}

/** Gives a request the id that a proxy or the client sent, if it has the form of one, or a new one. */
export function assignRequestId(request: Request): string {
  const sent = request.headers.get("x-request-id");
  const id = sent !== null && /^[\w-]{8,64}$/.test(sent) ? sent : createRequestId();
  ids.set(request, id);
  return id;
}

/** Returns the id of a request that has one. */
export function requestIdOf(request: Request): string | undefined {
  return ids.get(request);
}
