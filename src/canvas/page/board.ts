// Draws the surfaces that messages describe, and says what was pressed on them. The drawing is the renderer package's.

import { renderMarkdown } from "@a2ui/markdown-it";
import { Data, type Types } from "@a2ui/lit/v0_8";
import { Context, type Surface } from "@a2ui/lit/ui";
import { html, render } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { emptyFieldOf, prepareMessage, toTheirs } from "./prepare.ts";
import { theme } from "./theme.ts";

export type Message = Types.ServerToClientMessage;

/** What was pressed, with the values that its context names. */
export interface Pressed {
  readonly name: string;
  readonly surfaceId: string;
  readonly sourceComponentId: string;
  readonly context: Readonly<Record<string, unknown>>;
}

export interface Board {
  /** @throws Error when the messages cannot be drawn; what was there before may be gone then. */
  apply(messages: readonly Message[]): void;
  reset(): void;
  surfaceIds(): readonly string[];
}

type ActionEvent = HTMLElementEventMap["a2uiaction"];

export function createBoard(container: HTMLElement, onPressed: (pressed: Pressed) => void): Board {
  const processor = Data.createSignalA2uiMessageProcessor();
  const provided = new Map<unknown, unknown>([
    [Context.theme, theme],
    [Context.markdown, renderMarkdown],
  ]);
  container.addEventListener("context-request", (event) => {
    // an event of the community's protocol, which the browser's own types do not know
    const request = event as Event & { readonly context: unknown; callback(value: unknown): void };
    if (!provided.has(request.context)) return;
    event.stopPropagation();
    request.callback(provided.get(request.context));
  });

  const press = (surfaceId: string, { detail }: ActionEvent) => {
    const { action, sourceComponent, sourceComponentId } = detail;
    const valueOf = ({ value }: NonNullable<Types.Action["context"]>[number]) =>
      value.path === undefined || sourceComponent === null
        ? (value.literalString ?? value.literalNumber ?? value.literalBoolean ?? null)
        : toPlain(processor.getData(sourceComponent, value.path, surfaceId));
    const context = Object.fromEntries((action.context ?? []).map((entry) => [entry.key, valueOf(entry)]));
    onPressed({ name: action.name, surfaceId, sourceComponentId: toTheirs(sourceComponentId), context });
  };
  /** Of those that stand on the surface itself: what stands in a list has its data from there. */
  const fillEmptyFields = () => {
    for (const [surfaceId, { components }] of processor.getSurfaces())
      for (const component of components.values()) {
        const empty = emptyFieldOf(component);
        const top = { id: component.id, type: "Custom", properties: {} } as const;
        if (empty && (processor.getData(top, empty.path, surfaceId) ?? null) === null)
          processor.setData(top, empty.path, empty.value, surfaceId);
      }
  };
  const draw = () => {
    const surface = ([id, shown]: [string, Surface["surface"]]) =>
      html`<a2ui-surface
        .surfaceId=${id}
        .surface=${shown}
        .processor=${processor}
        @a2uiaction=${(event: ActionEvent) => press(id, event)}
      ></a2ui-surface>`;
    render(html`${repeat(processor.getSurfaces(), ([id]) => id, surface)}`, container);
  };

  return {
    apply(messages) {
      try {
        processor.processMessages(messages.map(prepareMessage));
        fillEmptyFields();
      } finally {
        draw();
      }
    },
    reset() {
      processor.clearSurfaces();
      draw();
    },
    surfaceIds: () => [...processor.getSurfaces().keys()],
  };
}

/** Maps and lists of the data model as JSON has them. */
function toPlain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), toPlain(item)]));
  return Array.isArray(value) ? value.map(toPlain) : value;
}

/** Of an action. `crypto.randomUUID` is not there where the way is not secured. */
export const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
