// Which other components a component of A2UI names, in the catalogue of v0.8. Pure; the page uses it too.

import { isRecord } from "../../base/json.ts";

/** A component as it is sent: one key, the name of its kind, with its properties. */
export interface Component {
  readonly id: string;
  readonly component: Readonly<Record<string, unknown>>;
}

type Rename = (id: string) => string;
type Properties = Readonly<Record<string, unknown>>;

const fields: Readonly<Record<string, readonly string[]>> = {
  Card: ["child"],
  Button: ["child"],
  Modal: ["entryPointChild", "contentChild"],
};
const lists: ReadonlySet<string> = new Set(["Row", "Column", "List"]);

/** The same component with another id, which names others by other ids. */
export function renameComponent<Given extends Component>(given: Given, rename: Rename): Given {
  const component = Object.fromEntries(
    Object.entries(given.component).map(([kind, properties]) => [
      kind,
      isRecord(properties) ? renameIn(kind, properties, rename) : properties,
    ]),
  );
  return { ...given, id: rename(given.id), component };
}

/** Ids that it names, as often as it does. */
export function referencesOf(given: Component): readonly string[] {
  const found: string[] = [];
  renameComponent({ ...given, id: "" }, (id) => {
    if (id !== "") found.push(id);
    return id;
  });
  return found;
}

function renameIn(kind: string, properties: Properties, rename: Rename): Properties {
  if (lists.has(kind)) return { ...properties, children: renameChildren(properties["children"], rename) };
  if (kind === "Tabs") return { ...properties, tabItems: renameTabs(properties["tabItems"], rename) };
  return renameFields(properties, fields[kind] ?? [], rename);
}

function renameFields(properties: Properties, names: readonly string[], rename: Rename): Properties {
  const renamed = names.flatMap((name) => {
    const id = properties[name];
    return typeof id === "string" ? [[name, rename(id)] as const] : [];
  });
  return { ...properties, ...Object.fromEntries(renamed) };
}

function renameChildren(children: unknown, rename: Rename): unknown {
  if (!isRecord(children)) return children;
  const { explicitList, template } = children;
  return {
    ...children,
    ...(Array.isArray(explicitList) ? { explicitList: explicitList.map((id) => rename(String(id))) } : {}),
    ...(isRecord(template) ? { template: renameFields(template, ["componentId"], rename) } : {}),
  };
}

function renameTabs(tabs: unknown, rename: Rename): unknown {
  return Array.isArray(tabs) ? tabs.map((tab) => (isRecord(tab) ? renameFields(tab, ["child"], rename) : tab)) : tabs;
}
