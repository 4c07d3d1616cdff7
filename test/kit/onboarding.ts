// What `onboard` meets: an empty home for each test, a model server and a Telegram of ours.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach } from "node:test";

import { createCliHome, type CliHome } from "./cli-process.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { startFakeTelegram, type FakeTelegram } from "./telegram-server.ts";

export interface Onboarding {
  readonly home: CliHome;
  readonly models: ModelServer;
  readonly telegram: FakeTelegram;
  /** From now on the model says this; a number: it refuses with that status. */
  say(words: string | number): void;
  /** A path in the home. */
  at(...parts: string[]): string;
  readConfig(folder?: string): Promise<Record<string, unknown>>;
}

export const modelsWords = "I am the model.";

/** Registers what comes before and after the tests of the calling file; `onEnd` runs while the test's home is still there. */
export function prepareOnboarding(onEnd: () => Promise<void> = async () => undefined): Onboarding {
  let models: ModelServer | undefined;
  let telegram: FakeTelegram | undefined;
  let home: CliHome | undefined;
  let said: string | number = modelsWords;
  before(async () => {
    models = await startModelServer(() => said);
    telegram = await startFakeTelegram();
  });
  after(async () => {
    await models?.close();
    await telegram?.close();
  });
  beforeEach(async () => {
    said = modelsWords;
    if (telegram) telegram.react = () => undefined;
    home = await createCliHome();
  });
  afterEach(async () => {
    await onEnd();
    await home?.dispose();
  });
  const present = <Thing>(thing: Thing | undefined): Thing => {
    if (thing === undefined) throw new Error("only a test may ask");
    return thing;
  };
  const at = (...parts: string[]) => join(present(home).folder, ...parts);
  return {
    get home() {
      return present(home);
    },
    get models() {
      return present(models);
    },
    get telegram() {
      return present(telegram);
    },
    say(words) {
      said = words;
    },
    at,
    readConfig: async (folder = ".openclaw") =>
      JSON.parse(await readFile(at(folder, "openclaw.json"), "utf8")) as Record<string, unknown>,
  };
}
