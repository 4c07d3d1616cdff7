// Words of a command as a person types them.

/** In quotes in which a POSIX shell replaces nothing. */
export const quoteWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A word that a shell takes as it is; any other one in quotes. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./~-]+$/u.test(text) ? text : quoteWord(text));
