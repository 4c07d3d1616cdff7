// What an agent pushes: messages of A2UI v0.8, one a line. Here it is read and its shape checked; what a component needs is checked
// once surfaces are whole (check).

import { Fault } from "../../base/fault.ts";
import { isRecord, parseJson } from "../../base/json.ts";
import type { Component } from "./references.ts";

export interface SurfaceUpdate {
  readonly surfaceId: string;
  readonly components: readonly Component[];
}

export interface DataModelUpdate {
  readonly surfaceId: string;
  /** Absent: the whole model. */
  readonly path?: string;
  readonly contents: readonly Readonly<Record<string, unknown>>[];
}

export interface BeginRendering {
  readonly surfaceId: string;
  readonly root: string;
}

export type A2uiMessage =
  | { readonly surfaceUpdate: SurfaceUpdate }
  | { readonly dataModelUpdate: DataModelUpdate }
  | { readonly beginRendering: BeginRendering }
  | { readonly deleteSurface: { readonly surfaceId: string } };

/** Of one push. */
export const maxPushBytes = 256 * 1024;
export const maxMessages = 200;
const maxIdLength = 128;

const kinds = ["surfaceUpdate", "dataModelUpdate", "beginRendering", "deleteSurface"] as const;
type Kind = (typeof kinds)[number];

/** Words of the version after ours. */
const newer = ["createSurface", "updateComponents", "updateDataModel"];

/** Lines, or one JSON array. @throws Fault `invalid_params` or `too_large`, naming the message by its number from 1. */
export function parseMessages(text: string): readonly A2uiMessage[] {
  if (Buffer.byteLength(text) > maxPushBytes)
    throw tooLarge(`jsonl is larger than ${maxPushBytes} bytes`, "push less at once");
  const values = parseValues(text.trim());
  if (values.length === 0) throw wrong("jsonl is empty", "send one A2UI message a line");
  if (values.length > maxMessages) throw tooLarge(`more than ${maxMessages} messages`, "push less at once");
  return values.map((value, index) => readMessage(value, index + 1));
}

function parseValues(text: string): readonly unknown[] {
  if (text.startsWith("[")) {
    const list = parseJson(text);
    if (Array.isArray(list)) return list;
    throw wrong("jsonl begins like a JSON array and is none", "send one A2UI message a line");
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length > maxMessages) throw tooLarge(`more than ${maxMessages} messages`, "push less at once");
  return lines.map((line, index) => {
    const value = parseJson(line);
    if (value === undefined) throw wrong(`message ${index + 1} is not JSON`, "send one whole A2UI message a line");
    return value;
  });
}

function readMessage(value: unknown, number: number): A2uiMessage {
  const at = `message ${number}`;
  if (!isRecord(value)) throw wrong(`${at} is not an object`, "send an object with one A2UI message");
  const word = newer.find((name) => Object.hasOwn(value, name)) ?? versionOf(value);
  if (word !== undefined) {
    throw wrong(
      `${at} is of A2UI v0.9 or later (${word}); this Gateway draws v0.8`,
      "use surfaceUpdate, dataModelUpdate, beginRendering and deleteSurface of v0.8",
    );
  }
  const [kind, ...others] = Object.keys(value);
  const known = kinds.find((name) => name === kind);
  if (known === undefined || others.length > 0)
    throw wrong(`${at} must have exactly one of ${kinds.join(", ")}`, "send each of them as a message of its own");
  const body = value[known];
  if (!isRecord(body)) throw wrong(`${at}: ${known} must be an object`, `see A2UI v0.8 for ${known}`);
  checkId(body["surfaceId"], `${at}: ${known}.surfaceId`);
  checkBody[known](body, `${at}: ${known}`);
  // its shape was checked just now
  return { [known]: body } as unknown as A2uiMessage;
}

function versionOf({ version }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof version === "string" && !/^v?0\.8\b/u.test(version) ? `version ${version.slice(0, 20)}` : undefined;
}

const checkBody: Readonly<Record<Kind, (body: Readonly<Record<string, unknown>>, at: string) => void>> = {
  surfaceUpdate({ components }, at) {
    if (!Array.isArray(components) || components.length === 0)
      throw wrong(`${at}.components must be a list`, "name one");
    for (const [index, component] of components.entries()) checkComponent(component, `${at}.components[${index}]`);
  },
  dataModelUpdate({ path, contents }, at) {
    if (path !== undefined && typeof path !== "string") throw wrong(`${at}.path must be a text`, "write it as /a/b");
    if (!Array.isArray(contents) || !contents.every(isRecord))
      throw wrong(`${at}.contents must be a list of entries`, 'write entries as {"key": "name", "valueString": "Ada"}');
  },
  beginRendering({ root }, at) {
    checkId(root, `${at}.root`);
  },
  deleteSurface() {},
};

function checkComponent(component: unknown, at: string): void {
  if (!isRecord(component)) throw wrong(`${at} must be an object`, "give it an id and a component");
  checkId(component["id"], `${at}.id`);
  const inner = component["component"];
  if (!isRecord(inner) || Object.keys(inner).length !== 1)
    throw wrong(`${at}.component must have one key, its kind`, 'write it as {"Text": {…}}');
}

function checkId(id: unknown, at: string): void {
  if (typeof id !== "string" || id === "" || id.length > maxIdLength)
    throw wrong(`${at} must be a text of 1 to ${maxIdLength} characters`, "name it");
}

const wrong = (message: string, next: string) => new Fault("invalid_params", message, { field: "jsonl", next });
const tooLarge = (message: string, next: string) => new Fault("too_large", message, { field: "jsonl", next });
