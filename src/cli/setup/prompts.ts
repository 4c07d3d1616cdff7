// Questions to a person at a terminal. The library is imported when the first one is asked.

import { Fault } from "../../base/fault.ts";

/** A complaint in a few words; undefined when the answer will do. */
export type Check = (answer: string) => string | undefined;

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
  readonly hint?: string;
}

export interface Question<Value extends string> {
  readonly message: string;
  readonly options: readonly Choice<Value>[];
  readonly initial?: Value;
}

/** @throws Fault `aborted` from each question when the person leaves (Ctrl-C, Escape). */
export interface Prompts {
  begin(title: string): void;
  end(text: string): void;
  note(text: string, title: string): void;
  step(text: string): void;
  done(text: string): void;
  warn(text: string): void;
  text(question: { message: string; initial?: string; check?: Check }): Promise<string>;
  /** Not shown while it is typed. */
  secret(question: { message: string; check?: Check }): Promise<string>;
  choose<Value extends string>(question: Question<Value>): Promise<Value>;
  chooseMany<Value extends string>(question: Question<Value>): Promise<readonly Value[]>;
  confirm(question: { message: string; initial: boolean }): Promise<boolean>;
}

/** Somebody is there to be asked. */
export const hasPerson = () => process.stdin.isTTY === true && process.stdout.isTTY === true;

export const isCancelled = (error: unknown): error is Fault => error instanceof Fault && error.code === "aborted";

export async function openPrompts(): Promise<Prompts> {
  const clack = await import("@clack/prompts");
  const { stdout } = process;
  // a serial line tells no width, and a question would stand there one letter a line
  if (stdout.columns === 0) stdout.columns = 80;
  const answered = <Value>(value: Value): Exclude<Value, symbol> => {
    if (typeof value === "symbol") throw new Fault("aborted", "cancelled: nothing was written");
    // what is left of the type
    return value as Exclude<Value, symbol>;
  };
  const toValidate = (check: Check | undefined) =>
    check === undefined ? {} : { validate: (value: string | undefined) => check(value?.trim() ?? "") };
  const toOptions = <Value extends string>(options: readonly Choice<Value>[]) =>
    // the library's type of an option is a condition on a type that is not known here
    options.map(({ value, label, hint }) => ({ value, label, ...(hint ? { hint } : {}) })) as never;
  return {
    begin: (title) => clack.intro(title),
    end: (text) => clack.outro(text),
    note: (text, title) => clack.note(text, title),
    step: (text) => clack.log.step(text),
    done: (text) => clack.log.success(text),
    warn: (text) => clack.log.warn(text),
    async text({ message, initial, check }) {
      const start = initial === undefined ? {} : { initialValue: initial };
      return answered(await clack.text({ message, ...start, ...toValidate(check) })).trim();
    },
    async secret({ message, check }) {
      return answered(await clack.password({ message, ...toValidate(check) })).trim();
    },
    async choose<Value extends string>({ message, options, initial }: Question<Value>) {
      const start = initial === undefined ? {} : { initialValue: initial };
      return answered(await clack.select<Value>({ message, options: toOptions(options), ...start }));
    },
    async chooseMany<Value extends string>({ message, options }: Question<Value>) {
      return answered(await clack.multiselect<Value>({ message, options: toOptions(options) }));
    },
    async confirm({ message, initial }) {
      return answered(await clack.confirm({ message, initialValue: initial }));
    },
  };
}

/** A complaint about a blank answer. */
export const needed: Check = (answer) => (answer === "" ? "please type something" : undefined);
