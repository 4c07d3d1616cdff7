// Numbers of the WebSocket edge that clients are told or strangers run into.

/** Largest message of an authenticated client, bytes. */
export const maxPayload = 25 * 1024 * 1024;
/** All that a connection may send before `hello-ok`, bytes. */
export const maxPreauthBytes = 64 * 1024;
/** Unread bytes after which a slow client loses its connection. */
export const maxBufferedBytes = 50 * 1024 * 1024;
/** Unread bytes after which a slow client is not sent what a later event makes up for. */
export const droppingFromBytes = 1024 * 1024;
export const tickIntervalMs = 30_000;
export const handshakeTimeoutMs = 10_000;
export const pingIntervalMs = 25_000;
/** How long a closed peer may take to answer the close before it is cut off. */
export const closeTimeoutMs = 2_000;
/** Connections without `hello-ok` at once: in all, and from one address, whose honest programs may all come back together. */
export const maxUnauthenticated = 1_024;
export const maxUnauthenticatedPerAddress = 256;
/** Connections that have shown no credential and no whole request lately, over plain HTTP: what is beyond pushes out the longest silent. */
export const maxSilent = 2_048;
export const maxSilentPerAddress = 1_024;
/** Requests of one connection under way at once. */
export const maxConcurrentRequests = 256;
/** Frames kept while `connect` is judged. */
export const maxEarlyFrames = 16;
/** Longest request id that is sent back. */
export const maxIdLength = 512;
