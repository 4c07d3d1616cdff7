// Figures as they are read, before anybody writes them down: one family for each name.

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

export interface Distribution {
  readonly labels: Labels;
  /** How many there are between one bound and the next; what is above the last is in `count` alone. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

interface Description {
  readonly name: string;
  readonly help: string;
}

export interface Histogram extends Description {
  readonly type: "histogram";
  /** Upper ends, rising. */
  readonly bounds: readonly number[];
  readonly samples: readonly Distribution[];
}

export type Family =
  | (Description & { readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] })
  | Histogram;
