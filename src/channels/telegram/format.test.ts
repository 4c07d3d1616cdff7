import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { toTelegramHtml } from "./format.ts";

test("Markdown becomes the tags that Telegram knows", () => {
  assert.equal(toTelegramHtml("**b** *i* ~~s~~ `c<d`"), "<b>b</b> <i>i</i> <s>s</s> <code>c&lt;d</code>");
  assert.equal(toTelegramHtml("# Title\n\ntext"), "<b>Title</b>\n\ntext");
  assert.equal(toTelegramHtml("[a](https://x.test/?q=1&r=2)"), '<a href="https://x.test/?q=1&amp;r=2">a</a>');
  assert.equal(
    toTelegramHtml("```ts\nif (a < b) {}\n```"),
    '<pre><code class="language-ts">if (a &lt; b) {}</code></pre>',
  );
  assert.equal(toTelegramHtml("- one\n- two\n  - three"), "• one\n• two\n  • three");
  assert.equal(toTelegramHtml("3. three\n4. four"), "3. three\n4. four");
  assert.equal(toTelegramHtml("> quoted\n> > twice"), "<blockquote>quoted\n\ntwice</blockquote>");
});

test("HTML in the source is text, and links of other schemes stay words", () => {
  assert.equal(toTelegramHtml("<b>not bold</b> & <script>"), "&lt;b&gt;not bold&lt;/b&gt; &amp; &lt;script&gt;");
  assert.equal(toTelegramHtml("[x](javascript:alert(1))"), "x (javascript:alert(1))");
});

test("tables come out as aligned text", () => {
  assert.equal(toTelegramHtml("| a | bb |\n| --- | --- |\n| 111 | 2 |"), "<pre>a   | bb\n----+---\n111 | 2</pre>");
});

const allowed = /<(\/?)(b|i|s|code|pre|a|blockquote)(?: (?:href="[^"<>]*"|class="language-[^"<>]*"))?>/gu;

/** Throws unless the text is balanced HTML of Telegram's subset. */
function checkHtml(html: string): void {
  const open: string[] = [];
  for (const [, slash, tag = ""] of html.matchAll(allowed)) {
    if (slash === "") open.push(tag);
    else assert.equal(open.pop(), tag, html);
  }
  assert.deepEqual(open, [], html);
  const rest = html.replaceAll(allowed, "");
  assert.ok(!/[<>]/u.test(rest), `stray bracket: ${html}`);
  assert.ok(!/&(?!amp;|lt;|gt;|quot;)/u.test(rest), `stray ampersand: ${html}`);
}

test("whatever the Markdown, the HTML is balanced, allowed and escaped", () => {
  const pieces = fc.constantFrom(
    "**",
    "*",
    "_",
    "~~",
    "`",
    "```",
    "\n",
    "\n\n",
    "# ",
    "> ",
    "- ",
    "1. ",
    "[",
    "](",
    ")",
    "<",
    ">",
    "&",
    "&amp;",
    "|",
    "| --- |\n",
    "![",
    "http://x.test",
    "\\",
    "word",
    " ",
    "日本",
    "👍",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => checkHtml(toTelegramHtml(parts.join("")))),
    { numRuns: 400 },
  );
});

test("no word of the source is lost", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{3,8}$/u), { minLength: 1, maxLength: 12 });
  const marks = fc.constantFrom("", "**", "*", "`", "~~");
  fc.assert(
    fc.property(words, marks, (list, mark) => {
      const html = toTelegramHtml(list.map((word) => `${mark}${word}${mark}`).join(" "));
      for (const word of list) assert.ok(html.includes(word), `${word} in ${html}`);
    }),
  );
});
