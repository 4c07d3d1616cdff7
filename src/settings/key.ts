// How a config key is declared: type, default, help for people, whether it is a secret, and what a change of it disturbs.
// Build time only.

import { Type, type TProperties, type TSchema } from "typebox";

/**
 * What a live change of the key disturbs: nothing (`none`: read when used), the room takes it over (`hot`), one channel restarts
 * (`channel`), the listener restarts (`listener`), or the Gateway restarts in its process (`restart`).
 */
export type ReloadEffect = "none" | "hot" | "channel" | "listener" | "restart";

export interface KeyOptions {
  readonly secret?: boolean;
  readonly reload?: ReloadEffect;
  readonly default?: unknown;
}

const meta = (help: string, options: object = {}) => ({ description: help, ...options });

export const text = (
  help: string,
  options: KeyOptions & { minLength?: number; maxLength?: number; pattern?: string } = {},
) => Type.Optional(Type.String(meta(help, options)));
export const secret = (help: string, options: KeyOptions = {}) =>
  Type.Optional(Type.String(meta(help, { secret: true, ...options })));
export const flag = (help: string, options: KeyOptions = {}) => Type.Optional(Type.Boolean(meta(help, options)));
export const whole = (help: string, options: KeyOptions & { minimum?: number; maximum?: number } = {}) =>
  Type.Optional(Type.Integer(meta(help, options)));
export const numeric = (help: string, options: KeyOptions & { minimum?: number; maximum?: number } = {}) =>
  Type.Optional(Type.Number(meta(help, options)));
export const texts = (help: string, options: KeyOptions = {}) =>
  Type.Optional(Type.Array(Type.String(), meta(help, options)));
export const choice = <const Values extends string[]>(
  values: readonly [...Values],
  help: string,
  options: KeyOptions = {},
) => Type.Optional(Type.Enum([...values], meta(help, options)));

/** An object that knows all its keys. */
export const group = <Properties extends TProperties>(
  properties: Properties,
  help?: string,
  options: KeyOptions = {},
) => Type.Object(properties, { additionalProperties: false, ...(help ? { description: help } : {}), ...options });
export const optionalGroup = <Properties extends TProperties>(
  properties: Properties,
  help?: string,
  options: KeyOptions = {},
) => Type.Optional(group(properties, help, options));
/** An object with keys of the user's choosing. */
export const map = <Value extends TSchema>(value: Value, help: string, options: KeyOptions = {}) =>
  Type.Optional(Type.Record(Type.String(), value, meta(help, options)));
/** Accepted as it is: its subsystem checks it. */
export const anything = (help: string, options: KeyOptions = {}) => Type.Optional(Type.Any(meta(help, options)));
/**
 * A section whose room is not built yet: its known keys are typed and described, and further ones are left alone, so that a file
 * written for a newer program loads. It becomes a `group` together with its room.
 */
export const later = <Properties extends TProperties>(properties: Properties, help: string, options: KeyOptions = {}) =>
  Type.Optional(Type.Object(properties, { description: help, ...options }));
