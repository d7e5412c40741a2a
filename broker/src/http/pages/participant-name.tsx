import type { Profile } from "@crowdai/shared";
import { UntrustedName, UntrustedText } from "./untrusted-text.tsx";

/** The picture of a profile; its space is reserved before it has loaded. */
export function ProfilePicture({ profile, size }: { profile: Profile | null; size: number }) {
  if (!profile?.picture) return null;
  return (
    <img
      class="face"
      src={profile.picture}
      alt=""
      width={size}
      height={size}
      loading="lazy"
      decoding="async"
      referrerpolicy="no-referrer"
    />
  );
}

/**
 * A participant: picture, shown name, and always the name of the account, because anyone can show any name.
 * `account` may be the only name.
 */
export function ParticipantName({ account, profile }: { account: string; profile: Profile | null }) {
  const shown = profile?.name && profile.name !== account ? profile.name : null;
  return (
    <>
      <ProfilePicture profile={profile} size={24} />
      <UntrustedName text={shown ?? account} />
      {shown ? (
        <span class="account">
          <span class="unseen">account </span>
          <UntrustedName text={account} />
        </span>
      ) : null}
    </>
  );
}

/** Shows affiliation and link beside the name, with a dot before all but the first of a line. */
export function ProfileDetails({ profile, isFirst = true }: { profile: Profile | null; isFirst?: boolean }) {
  const { affiliation = null, link = null } = profile ?? {};
  return (
    <>
      {affiliation === null ? null : (
        <>
          {isFirst ? "" : " · "}
          <UntrustedText text={affiliation} />
        </>
      )}
      {link === null ? null : (
        <>
          {isFirst && affiliation === null ? "" : " · "}
          <ProfileLink link={link} />
        </>
      )}
    </>
  );
}

/** The link of a profile, by its host, so that the reader sees where it leads. */
function ProfileLink({ link }: { link: string }) {
  return (
    <a href={link} rel="nofollow noopener ugc" referrerpolicy="no-referrer">
      <UntrustedText text={URL.canParse(link) ? new URL(link).host : link} most={60} />
    </a>
  );
}
