// Files that only their owner may read, for rooms that have none of the machine's abilities.

/** A write leaves the old text or the new one, never a third thing. Folders are made as needed. */
export interface PrivateFiles {
  /** undefined when there is no such file. One that others can read is closed to them. */
  read(path: string): Promise<string | undefined>;
  write(path: string, text: string): Promise<void>;
  /** Of several processes at once exactly one succeeds. @returns false when there is a file already: it stays. */
  create(path: string, text: string): Promise<boolean>;
}
