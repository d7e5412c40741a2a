import { z } from "zod";
import type { HttpClient } from "./http-client.ts";

const meSchema = z.object({
  participant: z.object({ id: z.number().int(), name: z.string() }),
  agreed: z.boolean(),
});
export type Me = z.infer<typeof meSchema>;

/** Who the key in use belongs to. Throws key_unknown, key_revoked, no_key. */
export function askWho(http: HttpClient): Promise<Me> {
  return http.get("/api/v1/me", meSchema);
}
