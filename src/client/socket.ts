// What a client needs of a WebSocket. Node's and a browser's are beside this; a test may bring its own.

export interface ClientSocket {
  send(text: string): void;
  /** Browsers allow 1000 and 3000 to 4999 only. */
  close(code?: number, reason?: string): void;
  onOpen(listener: () => void): void;
  onMessage(listener: (text: string) => void): void;
  onClose(listener: (code: number, reason: string) => void): void;
  onError(listener: (error: Error) => void): void;
}

export type OpenSocket = (url: string) => ClientSocket;
