import type { Submission } from "@crowdai/shared";
import { mediaTypeOf } from "@crowdai/shared/media-types";
import { truncateText } from "./format.ts";

type Media = NonNullable<Submission["media"]>;

/** Returns a web address or a path of this broker, or null for anything else, such as `javascript:`. */
export function webAddress(address: string | null): string | null {
  if (address === null) return null;
  if (/^\/(?![/\\])/.test(address)) return address;
  return /^https?:\/\/[^\s]+$/i.test(address) && URL.canParse(address) ? address : null;
}

type Kind = "image" | "video" | "audio" | "youtube";

/**
 * Returns what a media type is shown as, or null for a type that pages cannot show, such as application/png.
 */
export function shownKind({ type }: Pick<Media, "type">): Kind | null {
  const [kind, format] = type.toLowerCase().split("/");
  if (format === "youtube") return "youtube";
  return kind === "image" || kind === "video" || kind === "audio" ? kind : null;
}

/** A small image, or a still of a video. A video at YouTube is a link. */
export function MediaThumbnail({ media, of, href }: { media: Media; of: string; href: string | null }) {
  const source = webAddress(media.thumbnail);
  const kind = shownKind(media);
  if (!source || !kind) return null;
  // An image on another server would reveal who reads the page.
  if (kind === "youtube") return href ? <a href={href}>Video</a> : <span>Video</span>;
  const alt = `Thumbnail of ${truncateText(of, 60)}’s ${kind}`;
  const drawn = thumbnailKind(media);
  if (!drawn) return null;
  const thumbnail =
    drawn === "video" ? (
      <video
        src={still(source)}
        muted
        playsinline
        preload="metadata"
        width={80}
        height={60}
        aria-label={alt}
      />
    ) : (
      <img src={source} alt={alt} width={80} height={60} loading="lazy" decoding="async" />
    );
  return href ? <a href={href}>{thumbnail}</a> : thumbnail;
}

/** A submission's image, video or audio, with the browser's own controls. */
export function MediaView({ media }: { media: Media }) {
  const source = webAddress(media.large);
  const kind = shownKind(media);
  if (!kind)
    return <p class="note">Not shown: {truncateText(media.type, 100)} is not an image, a video or audio.</p>;
  if (!source) return null;
  const poster = thumbnailKind(media) === "image" ? webAddress(media.thumbnail) : null;
  switch (kind) {
    case "youtube":
      return (
        <p>
          <a href={source} rel="noreferrer">
            Watch the video on YouTube
          </a>
        </p>
      );
    case "video":
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
    case "audio":
      return (
        <>
          {poster ? <img class="media" src={poster} alt="Waveform of the audio" /> : null}
          {/* biome-ignore lint/a11y/useMediaCaption: evaluators record no captions */}
          <audio
            class="media"
            controls
            preload="metadata"
            src={source}
            aria-label="Audio of this submission"
          />
        </>
      );
    case "image":
      return (
        <a href={source}>
          <img class="media" src={source} alt="Drawn by the evaluator for this submission" />
        </a>
      );
  }
}

/** Whether a thumbnail is an image or a video: by its extension, else by the type of the media. */
function thumbnailKind(media: Media): "image" | "video" | null {
  const extension = /\.([a-z0-9]{2,4})(?:[?#]|$)/i.exec(media.thumbnail.split("/").at(-1) ?? "")?.[1];
  const type = mediaTypeOf(extension?.toLowerCase() ?? "");
  const kind = type ? shownKind({ type }) : shownKind(media);
  return kind === "image" || kind === "video" ? kind : null;
}

/** Some browsers draw nothing before a video plays unless its address names a moment. */
const still = (address: string) => `${address}#t=0.1`;
