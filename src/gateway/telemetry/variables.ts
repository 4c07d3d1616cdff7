// The standard variables of OpenTelemetry, read one kind at a time. What cannot be understood is a problem, and counts as not there.

export interface Problem {
  readonly message: string;
  readonly next: string;
}

export interface Variables {
  text(name: string): string | undefined;
  isTrue(name: string): boolean;
  number(name: string, range: { readonly min: number; readonly max?: number }): number | undefined;
  /** `key=value,key2=value2`, each half percent-encoded where it must be. */
  pairs(name: string): Readonly<Record<string, string>>;
}

export function createVariables(
  read: (name: string) => string | undefined,
  note: (problem: Problem) => void,
): Variables {
  return {
    text: read,
    isTrue: (name) => read(name)?.toLowerCase() === "true",
    number(name, { min, max = Number.MAX_SAFE_INTEGER }) {
      const text = read(name);
      if (text === undefined) return undefined;
      const value = Number(text);
      if (value >= min && value <= max) return value;
      note({
        message: `${name} is no number from ${min}${max < Number.MAX_SAFE_INTEGER ? ` to ${max}` : ""}`,
        next: "mend it; its default is used",
      });
      return undefined;
    },
    pairs(name) {
      const entries = (read(name) ?? "").split(",").filter((entry) => entry.trim() !== "");
      const pairs = entries.map(toPair);
      // its value may be a secret: what is wrong is not shown
      if (pairs.includes(undefined))
        note({
          message: `${name} has an entry that is not key=value`,
          next: "separate entries by commas, and write %2C for a comma inside of one",
        });
      return Object.fromEntries(pairs.filter((pair) => pair !== undefined));
    },
  };
}

function toPair(entry: string): [string, string] | undefined {
  const [key = "", ...value] = entry.split("=");
  if (key.trim() === "" || value.length === 0) return undefined;
  try {
    return [decodeURIComponent(key.trim()), decodeURIComponent(value.join("=").trim())];
  } catch {
    // a percent sign that encodes nothing
    return undefined;
  }
}
