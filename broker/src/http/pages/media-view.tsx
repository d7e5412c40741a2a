import type { Submission } from "@crowdai/shared";
import { truncateText } from "./format.ts";

type Media = NonNullable<Submission["media"]>;

/** Only addresses that a browser fetches over the web, or paths of this broker: nothing that runs. */
export function webAddress(address: string | null): string | null {
  if (address === null) return null;
  if (/^\/(?![/\\])/.test(address)) return address;
  return /^https?:\/\/[^\s]+$/i.test(address) && URL.canParse(address) ? address : null;
}

export function MediaThumbnail({ media, of, href }: { media: Media; of: string; href: string | null }) {
  const source = webAddress(media.thumbnail);
  if (!source) return null;
  const alt = `Thumbnail of ${truncateText(of, 60)}’s ${kindOf(media)}`;
  const picture = isVideo(media.thumbnail) ? (
    <video src={source} muted preload="metadata" width={80} height={60} aria-label={alt} />
  ) : (
    <img src={source} alt={alt} width={80} height={60} loading="lazy" decoding="async" />
  );
  return href ? <a href={href}>{picture}</a> : picture;
}

/** A submission's picture, film or sound, with the browser's own controls. */
export function MediaView({ media }: { media: Media }) {
  const source = webAddress(media.large);
  if (!source) return null;
  const poster = isVideo(media.thumbnail) ? null : webAddress(media.thumbnail);
  if (media.type.endsWith("/youtube")) return null;
  if (media.type.startsWith("video/"))
    return (
      // biome-ignore lint/a11y/useMediaCaption: what an evaluator filmed comes without words
      <video
        class="media"
        controls
        preload="metadata"
        poster={poster ?? undefined}
        aria-label="Film of this submission"
      >
        <source src={source} type={media.type} />
      </video>
    );
  if (media.type.startsWith("audio/"))
    return (
      <>
        {poster ? <img class="media" src={poster} alt="Waveform of the sound" /> : null}
        {/* biome-ignore lint/a11y/useMediaCaption: what an evaluator recorded comes without words */}
        <audio class="media" controls preload="metadata" src={source} aria-label="Sound of this submission" />
      </>
    );
  if (media.type.startsWith("image/"))
    return (
      <a href={source}>
        <img class="media" src={source} alt="What the evaluator drew for this submission" />
      </a>
    );
  return null;
}

const isVideo = (address: string) => /\.(mp4|webm)(\?|$)/i.test(address);
const kindOf = ({ type }: Media) =>
  type.startsWith("video/") ? "film" : type.startsWith("audio/") ? "sound" : "picture";
