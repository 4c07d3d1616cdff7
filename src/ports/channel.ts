// A messaging platform. A channel translates and nothing else: gate, dedupe, chunking and retries live in conversation/.
// Every channel passes test/contract/channel.

import type { DeliveryTarget, Outbound, SendOutcome, Submit } from "./message.ts";

/** One account as `health` and `channels.status` show it. Times are ms since the epoch. */
export interface ChannelAccountStatus {
  readonly accountId: string;
  /** As the owner calls it. */
  readonly name?: string;
  readonly isEnabled: boolean;
  readonly isConfigured: boolean;
  /** Absent on channels that are not linkable. */
  readonly isLinked?: boolean;
  readonly isRunning: boolean;
  readonly isConnected: boolean;
  /** Why it does not work, and the next step; absent while all is well. */
  readonly problem?: { readonly reason: string; readonly next?: string };
  readonly identity?: { readonly id: string; readonly username?: string };
  readonly tokenSource?: string;
  readonly lastConnectedAt?: number;
  readonly lastStartAt?: number;
  readonly lastStopAt?: number;
  readonly lastInboundAt?: number;
  readonly lastOutboundAt?: number;
  readonly lastPollAt?: number;
  /** Its platform must have answered within this time, or it does not work. Absent: the channel knows no such limit. */
  readonly pollDeadlineMs?: number;
  readonly reconnectAttempts?: number;
}

export interface ChannelProbe {
  readonly isOk: boolean;
  readonly error?: string;
  readonly elapsedMs: number;
}

export interface ChannelLogout {
  /** There was something to forget. */
  readonly isCleared: boolean;
  /** Nothing is left to connect with. */
  readonly isLoggedOut: boolean;
  /** The environment still holds a token: nobody but the owner can take it away. */
  readonly isInEnvironment: boolean;
}

export interface Channel {
  readonly id: string;
  readonly label: string;
  /** True where an account is linked by a login (a QR code), as against configured with a token. */
  readonly isLinkable: boolean;
  /** Ids of the accounts that are set up now; the first is meant where none is named. */
  accounts(): readonly string[];
  /** Longest text of one message of the account, in UTF-16 units of Markdown. */
  textLimit(account: string): number;
  /**
   * Begins receiving for the account, or without one for all. Each is on its own: trouble of one is not felt by another. Resolves once the loop runs, whether or not the platform is reachable: trouble is `status`, not an
   * exception. The channel acknowledges an event to its platform only after `submit` has resolved.
   */
  start(submit: Submit, account?: string): Promise<void>;
  /** The account, or all. Must not throw; nothing of it is submitted after it resolves. */
  stop(deadline: AbortSignal, account?: string): Promise<void>;
  /** One attempt. Never throws and never retries a send that may have arrived; for an account that is not set up it is `retry`. */
  send(outbound: Outbound): Promise<SendOutcome>;
  status(): readonly ChannelAccountStatus[];
  /**
   * A target as a person writes it (`@name`, `123:topic:4`).
   * @throws Fault `invalid_params` with the forms that are understood, `not_linked` for an account that is not set up.
   */
  parseTarget(text: string, account: string | undefined): DeliveryTarget;
  /** Shows "typing" for some seconds. Best effort: never throws. Absent where the platform has none. */
  typing?(target: DeliveryTarget): Promise<void>;
  /** Asks the platform whether the account works. Never throws. */
  probe?(account: string, signal: AbortSignal): Promise<ChannelProbe>;
  /** Forgets the credentials that the config holds; the channel has been stopped. @throws Fault when it cannot. */
  logout?(account: string): Promise<ChannelLogout>;
  /** How a person approves a sender by id in the config, for texts. */
  readonly allowFromHint?: string;
}
