import { z } from "zod";
import type { HttpClient } from "./http-client.ts";

const accountSchema = z.object({
  participant: z.object({ id: z.number().int(), name: z.string() }),
  agreed: z.boolean(),
});
export type Account = z.infer<typeof accountSchema>;

/** Returns the participant that the key belongs to. Throws key_unknown, key_revoked, no_key. */
export function readAccount(http: HttpClient): Promise<Account> {
  return http.get("/api/v1/me", accountSchema);
}
