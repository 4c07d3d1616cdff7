// Modes of files as people know them.

/** `0o600` -> `0600`. */
export const octal = (mode: number): string => mode.toString(8).padStart(4, "0");
