/** A file of a new folder. */
export interface InitFile {
  /** Below the folder. */
  path: string;
  text: string;
  /** Whether only the owner may read it. */
  isPrivate?: boolean;
}
