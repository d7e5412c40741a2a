/**
 * A repository as it is shown to the outside. The `private` edition is for its participant and the organisers and follows every
 * submission; the `public` one is another repository that holds nothing but what was published, so that making it visible can never
 * show more.
 */
export interface HostedRepository {
  challenge: string;
  /** The participant's name as repositories carry it (`repositoryName`); null for the challenge's own repository. */
  participant: string | null;
  edition: "private" | "public";
}

/**
 * Where repositories are shown to the outside: by the broker itself, or by GitHub or GitLab. Every call may be repeated, by
 * several brokers at once too, and calls for one repository come one after the other.
 *
 * A host that cannot be reached or asks to wait throws code_host_unreachable, with `details.retry_after_seconds` where it named a
 * time; one that forgot the token, or refuses, code_host_refused, with what to do. Either is tried again. No call waits for long.
 */
export interface CodeHost {
  /** Names the adapter and the place behind it, without secrets; what was shown at one place is shown anew at another. */
  readonly name: string;
  /** Whether there is anything to do: false where the broker's own repositories are what is seen. */
  readonly outside: boolean;

  /** Makes the repository if it is not there, visible to nobody but the organisation's members. */
  ensure(repository: HostedRepository): Promise<void>;
  /**
   * Makes its branches and tags those of the bare repository at `path`: new ones come, others go. Nothing under other
   * names (`refs/incoming`) is sent.
   */
  mirror(repository: HostedRepository, path: string): Promise<void>;
  /** Lets everybody read it. Only the public edition is ever published. */
  publish(repository: HostedRepository): Promise<void>;
  /** Takes the repository away; harmless when there is none. */
  remove(repository: HostedRepository): Promise<void>;

  /** Where it is cloned from, without credentials. */
  cloneUrl(repository: HostedRepository): string;
  /** The page with its files and commits; null where there is none. */
  pageUrl(repository: HostedRepository): string | null;
  /** The page on which a reader forks it; null where a fork is a clone. */
  forkUrl(repository: HostedRepository): string | null;
}
