// How components look: as the reader's system has it, light or dark. Colours are variables of the page's style sheet.

import type { Types } from "@a2ui/lit/v0_8";

const none = Object.freeze({});
const field = { container: none, element: none, label: none };
/** Names of the renderer's own style sheet: all of the width, no margins, small margins. */
const wide = { "layout-w-100": true };
const close = ["layout-m-0"];
const near = ["layout-mt-1", "layout-mb-1"];
const heading = (rem: number) => ({ "font-size": `${rem}rem`, "font-weight": "600", "line-height": "1.25" });
/** All of these names must be there, or the renderer takes the whole for one style; its types know no `h6`. */
const texts = {
  h1: heading(1.8),
  h2: heading(1.5),
  h3: heading(1.25),
  h4: heading(1.1),
  h5: heading(1),
  h6: heading(0.9),
  body: {},
  caption: { "font-size": "0.85rem", color: "var(--quiet)" },
};
const box = { padding: "0.6rem 0.8rem", border: "1px solid var(--line)", "border-radius": "0.5rem" };

export const theme: Types.Theme = {
  components: {
    AudioPlayer: none,
    Button: none,
    Card: none,
    Column: none,
    CheckBox: { ...field, element: { "layout-wp-5": true, "layout-m-0": true } },
    DateTimeInput: field,
    Divider: none,
    Image: {
      all: none,
      icon: { "layout-wp-6": true },
      avatar: { "layout-wp-12": true },
      smallFeature: none,
      mediumFeature: none,
      largeFeature: none,
      header: none,
    },
    Icon: none,
    List: none,
    Modal: { backdrop: none, element: none },
    MultipleChoice: field,
    Row: none,
    Slider: field,
    Tabs: { container: none, element: none, controls: { all: none, selected: none } },
    Text: { all: none, h1: none, h2: none, h3: none, h4: none, h5: none, caption: none, body: none },
    TextField: { ...field, container: wide },
    Video: none,
  },
  elements: {
    a: none,
    audio: none,
    body: none,
    button: none,
    h1: none,
    h2: none,
    h3: none,
    h4: none,
    h5: none,
    iframe: none,
    input: none,
    p: none,
    pre: none,
    textarea: none,
    video: none,
  },
  markdown: {
    p: near,
    h1: close,
    h2: close,
    h3: close,
    h4: close,
    h5: close,
    ul: near,
    ol: near,
    li: [],
    a: [],
    strong: [],
    em: [],
  },
  additionalStyles: {
    Button: { ...box, background: "var(--accent)", color: "var(--on-accent)", font: "inherit", cursor: "pointer" },
    Card: { ...box, padding: "1rem", background: "var(--surface)", overflow: "visible" },
    CheckBox: { display: "flex", "align-items": "center", gap: "0.5rem" },
    Column: { gap: "0.75rem" },
    Image: { "max-width": "24rem" },
    List: { gap: "0.5rem" },
    Row: { gap: "0.75rem" },
    Text: texts,
    TextField: { ...box, font: "inherit", background: "var(--surface)", color: "inherit" },
  },
};
