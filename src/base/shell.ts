// Words of a command as a person types them.

/** A word that a shell takes as it is; any other one in quotes. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./~-]+$/u.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
