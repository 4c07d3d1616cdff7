// What a surface needs so that the renderer draws it as it was meant: ids that no text equals, signs for icons, values for empty fields.

import type { Types } from "@a2ui/lit/v0_8";

import { renameComponent } from "../a2ui/references.ts";
import { signOf } from "./icons.ts";

type Message = Types.ServerToClientMessage;
type Component = Types.ComponentInstance;

/** The renderer takes any text that is a component's id for that component: ours look like nothing that somebody writes. */
const mark = "\u2063";
const toOwn = (id: string) => `${mark}${id}`;

/** The id as the agent knows it. */
export const toTheirs = (id: string) => (id.startsWith(mark) ? id.slice(mark.length) : id);

export function prepareMessage(message: Message): Message {
  const { surfaceUpdate, beginRendering } = message;
  if (beginRendering) return { beginRendering: { ...beginRendering, root: toOwn(beginRendering.root) } };
  if (!surfaceUpdate) return message;
  const components = surfaceUpdate.components.map((component) => renameComponent(toSign(component), toOwn));
  return { surfaceUpdate: { ...surfaceUpdate, components } };
}

/** An icon whose name is bound to data stays the renderer's. */
function toSign(one: Component): Component {
  const name = one.component.Icon?.name.literalString;
  return name === undefined ? one : { ...one, component: { Text: { text: { literalString: signOf(name) } } } };
}

export interface EmptyField {
  readonly path: string;
  readonly value: string | number | boolean;
}

/** What a field is bound to, and what stands there while nothing does: the renderer calls a field without a value invalid. */
export function emptyFieldOf({ component }: Component): EmptyField | undefined {
  // the catalogue's name for it; the renderer's types have another one
  const { CheckBox: box } = component as { readonly CheckBox?: { readonly value?: { readonly path?: string } } };
  const { TextField: text, DateTimeInput: date, Slider: slider } = component;
  if (box?.value?.path !== undefined) return { path: box.value.path, value: false };
  if (text?.text?.path !== undefined) return { path: text.text.path, value: "" };
  if (date?.value.path !== undefined) return { path: date.value.path, value: "" };
  return slider?.value.path === undefined ? undefined : { path: slider.value.path, value: slider.minValue ?? 0 };
}
