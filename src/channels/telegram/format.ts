// Markdown -> the HTML that Telegram takes (https://core.telegram.org/bots/api#html-style, seen 2026-11). Everything that is not
// one of its tags is text, escaped.

import { lexer, type Token, type Tokens } from "marked";

const escapeHtml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const escapeAttribute = (text: string) => escapeHtml(text).replaceAll('"', "&quot;");
/** Markdown's texts may hold HTML's entities; these are the ones that matter. */
const unescape = (text: string) =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&nbsp;", "\u00a0")
    .replaceAll("&amp;", "&");

const linkSchemes = new Set(["http:", "https:", "tg:", "mailto:", "tel:"]);

export function toTelegramHtml(markdown: string): string {
  return renderBlocks(lexer(markdown, { gfm: true, breaks: true })).trim();
}

function renderBlocks(tokens: readonly Token[]): string {
  return tokens
    .map((token) => renderBlock(token))
    .filter((block) => block !== "")
    .join("\n\n");
}

function renderBlock(token: Token): string {
  // `type` tells which of the library's token shapes it is
  switch (token.type) {
    case "heading":
      return `<b>${renderInline((token as Tokens.Heading).tokens)}</b>`;
    case "paragraph":
      return renderInline((token as Tokens.Paragraph).tokens);
    case "text":
      return renderInline((token as Tokens.Text).tokens ?? [token]);
    case "code":
      return renderCode(token as Tokens.Code);
    case "blockquote":
      return `<blockquote>${stripQuotes(renderBlocks((token as Tokens.Blockquote).tokens))}</blockquote>`;
    case "list":
      return renderList(token as Tokens.List, 0);
    case "table":
      return renderTable(token as Tokens.Table);
    case "hr":
      return "———";
    case "space":
    case "def":
      return "";
    default:
      return escapeHtml(token.raw.trim());
  }
}

/** Telegram takes no quote within a quote. */
function stripQuotes(html: string): string {
  return html.replaceAll(/<\/?blockquote>/gu, "");
}

function renderCode(token: Tokens.Code): string {
  const language = /^[\w+#.-]{1,32}/u.exec(token.lang ?? "")?.[0];
  const body = escapeHtml(token.text);
  return language
    ? `<pre><code class="language-${escapeAttribute(language)}">${body}</code></pre>`
    : `<pre>${body}</pre>`;
}

function renderList(list: Tokens.List, depth: number): string {
  const indent = "  ".repeat(depth);
  const first = typeof list.start === "number" ? list.start : 1;
  return list.items
    .map((item, index) => {
      const mark = list.ordered ? `${first + index}.` : item.task ? (item.checked ? "☑" : "☐") : "•";
      return `${indent}${mark} ${renderItem(item, depth)}`;
    })
    .join("\n");
}

function renderItem(item: Tokens.ListItem, depth: number): string {
  return (
    item.tokens
      // the box of a task is its mark already
      .filter((token) => token.type !== "checkbox")
      .map((token) => (token.type === "list" ? `\n${renderList(token as Tokens.List, depth + 1)}` : renderBlock(token)))
      .filter((part) => part !== "")
      .reduce((whole, part) => (whole === "" || part.startsWith("\n") ? whole + part : `${whole}\n${part}`), "")
  );
}

function renderTable(table: Tokens.Table): string {
  const rows = [table.header, ...table.rows].map((cells) => cells.map((cell) => plainText(cell.tokens)));
  const widths = table.header.map((_, column) => Math.max(...rows.map((cells) => [...(cells[column] ?? "")].length)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - [...cell].length))
      .join(" | ")
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("-+-"));
  return `<pre>${escapeHtml(lines.join("\n"))}</pre>`;
}

function plainText(tokens: readonly Token[]): string {
  return tokens.map(plainSpan).join("").replaceAll(/\s+/gu, " ");
}

function plainSpan(token: Token): string {
  if ("tokens" in token && token.tokens) return plainText(token.tokens);
  if (!("text" in token)) return token.raw;
  return token.type === "codespan" ? String(token.text) : unescape(String(token.text));
}

function renderInline(tokens: readonly Token[]): string {
  return tokens
    .filter((token) => token.type !== "checkbox")
    .map(renderSpan)
    .join("");
}

function renderSpan(token: Token): string {
  switch (token.type) {
    case "strong":
      return `<b>${renderInline((token as Tokens.Strong).tokens)}</b>`;
    case "em":
      return `<i>${renderInline((token as Tokens.Em).tokens)}</i>`;
    case "del":
      return `<s>${renderInline((token as Tokens.Del).tokens)}</s>`;
    case "codespan":
      // in code an entity is what it looks like
      return `<code>${escapeHtml((token as Tokens.Codespan).text)}</code>`;
    case "br":
      return "\n";
    case "link":
      return renderLink((token as Tokens.Link).href, renderInline((token as Tokens.Link).tokens));
    case "image":
      return renderLink(
        (token as Tokens.Image).href,
        escapeHtml((token as Tokens.Image).text || (token as Tokens.Image).href),
      );
    case "escape":
      return escapeHtml(unescape((token as Tokens.Escape).text));
    case "text":
      return renderText(token as Tokens.Text);
    default:
      return escapeHtml(token.raw);
  }
}

function renderText(token: Tokens.Text): string {
  return token.tokens ? renderInline(token.tokens) : escapeHtml(unescape(token.text));
}

/** A link whose scheme is not listed stays as text: the words, then the address. */
function renderLink(href: string, label: string): string {
  const isSafe = URL.canParse(href) && linkSchemes.has(new URL(href).protocol);
  // Telegram refuses links within links
  const words = label.replaceAll(/<\/?a\b[^>]*>/gu, "") || escapeHtml(href);
  if (isSafe) return `<a href="${escapeAttribute(href)}">${words}</a>`;
  return words === escapeHtml(href) ? words : `${words} (${escapeHtml(href)})`;
}
