// Protocol versions. Real clients send 3 and 4; the runbooks' own example sends 7.

/** Oldest version spoken. */
export const minProtocol = 3;
/** Newest version spoken. */
export const maxProtocol = 7;
/** What a client of the older generation understands in a mismatch error. */
export const expectedProtocol = 4;

/** The highest version that both sides know; undefined when there is none. */
export function decideProtocol(clientMin: number, clientMax: number): number | undefined {
  const highest = Math.min(clientMax, maxProtocol);
  return highest >= Math.max(clientMin, minProtocol) ? highest : undefined;
}
