import type { Needs } from "../../domain/submissions/services.ts";

/** Returns where the object store's signed addresses lead. Asks once; asks again after a failure. */
export function rememberMediaOrigins(
  context: () => Needs<"objects" | "baseUrl" | "log">,
): () => Promise<readonly string[]> {
  let known: Promise<readonly string[]> | null = null;
  return () => {
    known ??= mediaOrigins(context()).catch((err) => {
      known = null;
      context().log.warn(
        { event: "media_origin_lookup_failed", err },
        "media origin lookup failed: pages show no media from the object store",
      );
      return [];
    });
    return known;
  };
}

async function mediaOrigins({ objects, baseUrl }: Needs<"objects" | "baseUrl">): Promise<string[]> {
  const signed = await objects.signGet("image/none", { seconds: 60 });
  return [...new Set([new URL(signed).origin, new URL(baseUrl()).origin])];
}
