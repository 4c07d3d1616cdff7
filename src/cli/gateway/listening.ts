// Where the Gateway listens, now and after its config has named another address.

import { Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { MoveListener } from "../../gateway/moving.ts";
import type { Listener, ListenOptions } from "../../platform/listen.ts";
import type { TlsMaterial } from "../../platform/tls-files.ts";

export interface Address {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface Listening {
  /** The one that it began with. */
  readonly listener: Listener;
  readonly move: MoveListener;
  /** As it is now. */
  port(): number;
  tls(): TlsMaterial | undefined;
  /** Takes up another certificate without closing anything; does nothing when it is the same, or none. @throws Fault as `tls` does. */
  renew(): Promise<void>;
  url(): string;
  /** For a start that failed: ends every connection. Once it is served, who serves closes it. */
  close(): Promise<void>;
}

export interface ListeningOptions {
  readonly first: Address;
  /** As the config says now. @throws Fault when there is no such address. */
  readonly decide: () => Address;
  /** As the config and the files say now. Absent: never. @throws Fault when it cannot be had. */
  readonly tls?: () => Promise<TlsMaterial | undefined>;
  /** @throws Fault `port_busy`, `unreachable`. */
  readonly open: (options: ListenOptions) => Promise<Listener>;
  readonly log: Log;
  readonly onMoved: (listening: Listening) => Promise<void>;
}

/** @throws Fault `port_busy`, `unreachable`. */
export async function openListening(options: ListeningOptions): Promise<Listening> {
  const { first, decide, log, onMoved } = options;
  const wantedTls = async () => options.tls?.();
  let tls = await wantedTls();
  type Wanted = Address & Pick<ListenOptions, "tls">;
  const open = (wanted: Wanted) => options.open({ ...wanted, log });
  const listener = await open({ ...first, tls });
  let current = listener;
  let { host } = first;

  /** On one port the new address may hold the old one: then the old one is left first, and taken again when that fails. */
  const openBeside = async (next: Wanted): Promise<Listener> => {
    try {
      return await open(next);
    } catch (error) {
      const isOurs = error instanceof Fault && error.code === "port_busy" && next.port === current.port;
      if (!isOurs) throw error;
    }
    current.leave();
    try {
      return await open(next);
    } catch (error) {
      await current.comeBack();
      throw error;
    }
  };

  const listening: Listening = {
    listener,
    port: () => current.port,
    tls: () => tls,
    async renew() {
      const wanted = await wantedTls();
      if (!tls || !wanted || isSame(tls, wanted)) return;
      current.renew(wanted);
      tls = wanted;
      log.info(`the certificate is another one now, fingerprint ${wanted.fingerprint}`);
    },
    url: () => `${tls ? "wss" : "ws"}://${host.includes(":") ? `[${host}]` : host}:${current.port}`,
    close: () => current.close(),
    async move() {
      const { host: nextHost, port } = decide();
      const next = { host: nextHost, port: port === 0 ? current.port : port };
      const nextTls = await wantedTls();
      if (next.host === host && next.port === current.port && isSame(tls, nextTls)) return undefined;
      const opened = await openBeside({ ...next, tls: nextTls });
      const left = current;
      left.leave();
      current = opened;
      host = next.host;
      tls = nextTls;
      log.info(`listening on ${listening.url()} (pid ${process.pid}), and no longer where it did`);
      await onMoved(listening);
      return { opened, left };
    },
  };
  return listening;
}

function isSame(one: TlsMaterial | undefined, other: TlsMaterial | undefined): boolean {
  return one?.cert === other?.cert && one?.key === other?.key && one?.ca === other?.ca;
}
