// One thing that may be wrong. `doctor` and `health` read the same list.

export interface Finding {
  readonly id: string;
  readonly severity: "error" | "warning" | "info";
  readonly message: string;
  readonly next?: string;
}

export interface Check {
  readonly id: string;
  /** Looks and changes nothing; empty when all is well. */
  run(): Promise<readonly Finding[]>;
}
