import type { Submission } from "@crowdai/shared";
import { truncateText } from "./format.ts";

type Media = NonNullable<Submission["media"]>;

/** Returns a web address or a path of this broker, or null for anything else, such as `javascript:`. */
export function webAddress(address: string | null): string | null {
  if (address === null) return null;
  if (/^\/(?![/\\])/.test(address)) return address;
  return /^https?:\/\/[^\s]+$/i.test(address) && URL.canParse(address) ? address : null;
}

export function MediaThumbnail({ media, of, href }: { media: Media; of: string; href: string | null }) {
  const source = webAddress(media.thumbnail);
  if (!source) return null;
  const alt = `Thumbnail of ${truncateText(of, 60)}’s ${kindOf(media)}`;
  const thumbnail = isVideo(media.thumbnail) ? (
    <video src={source} muted preload="metadata" width={80} height={60} aria-label={alt} />
  ) : (
    <img src={source} alt={alt} width={80} height={60} loading="lazy" decoding="async" />
  );
  return href ? <a href={href}>{thumbnail}</a> : thumbnail;
}

/** A submission's image, video or audio, with the browser's own controls. */
export function MediaView({ media }: { media: Media }) {
  const source = webAddress(media.large);
  if (!source) return null;
  const poster = isVideo(media.thumbnail) ? null : webAddress(media.thumbnail);
  if (media.type.endsWith("/youtube")) return null;
  if (media.type.startsWith("video/"))
    return (
      // biome-ignore lint/a11y/useMediaCaption: evaluators record no captions
      <video
        class="media"
        controls
        preload="metadata"
        poster={poster ?? undefined}
        aria-label="Video of this submission"
      >
        <source src={source} type={media.type} />
      </video>
    );
  if (media.type.startsWith("audio/"))
    return (
      <>
        {poster ? <img class="media" src={poster} alt="Waveform of the audio" /> : null}
        {/* biome-ignore lint/a11y/useMediaCaption: evaluators record no captions */}
        <audio class="media" controls preload="metadata" src={source} aria-label="Audio of this submission" />
      </>
    );
  if (media.type.startsWith("image/"))
    return (
      <a href={source}>
        <img class="media" src={source} alt="Drawn by the evaluator for this submission" />
      </a>
    );
  return null;
}

const isVideo = (address: string) => /\.(mp4|webm)(\?|$)/i.test(address);
const kindOf = ({ type }: Media) =>
  type.startsWith("video/") ? "video" : type.startsWith("audio/") ? "audio" : "image";
