import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { Fault } from "../../base/fault.ts";
import { toInbound } from "./receive.ts";
import { parseTarget } from "./target.ts";

const me = { id: 99, username: "the_bot" };
const context = { account: "default", me };
const update = (message: object, id = 5) => ({
  update_id: id,
  message: {
    message_id: 8,
    date: 100,
    chat: { id: 7, type: "private" },
    from: { id: 7, is_bot: false, first_name: "A", last_name: "B" },
    ...message,
  },
});

test("a private message carries ids, name, text and time", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(toInbound(update({ text: "hi" }), context))), {
    channel: "telegram",
    account: "default",
    eventId: "5:7:8",
    chat: { kind: "direct", id: "7" },
    sender: { id: "7", name: "A B" },
    text: "hi",
    messageId: "8",
    sentAt: 100_000,
    trust: "channel",
  });
});

test("our own name is taken off a command, another bot's is not", () => {
  assert.equal(toInbound(update({ text: "/status@the_bot now" }), context)?.text, "/status now");
  assert.equal(toInbound(update({ text: "/status@other_bot" }), context)?.text, "/status@other_bot");
});

test("media without words get a placeholder, captions are kept", () => {
  assert.equal(toInbound(update({ photo: [] }), context)?.text, "<media:photo>");
  assert.equal(toInbound(update({ voice: {}, caption: "listen" }), context)?.text, "<media:voice>\nlisten");
});

test("bots, edits, channel posts and joins are not messages of a person", () => {
  assert.equal(toInbound(update({ text: "x", from: { id: 1, is_bot: true } }), context), undefined);
  assert.equal(toInbound({ update_id: 1, edited_message: update({ text: "x" }).message }, context), undefined);
  assert.equal(toInbound({ update_id: 1, channel_post: update({ text: "x" }).message }, context), undefined);
  assert.equal(toInbound(update({ new_chat_members: [] }), context), undefined);
});

test("in groups it is noticed who is meant, and topics have threads of their own", () => {
  const chat = { id: -100, type: "supergroup", is_forum: true, title: "G" };
  const mention = { text: "@the_bot hi", entities: [{ type: "mention", offset: 0, length: 8 }], chat };
  assert.deepEqual(JSON.parse(JSON.stringify(toInbound(update(mention), context)?.chat)), {
    kind: "group",
    id: "-100",
    threadId: "1",
    title: "G",
  });
  assert.equal(toInbound(update(mention), context)?.isMentioned, true);
  assert.equal(toInbound(update({ text: "hi", chat }), context)?.isMentioned, false);
  assert.equal(
    toInbound(update({ text: "hi", chat, reply_to_message: { from: { id: 99 } } }), context)?.isMentioned,
    true,
  );
  assert.equal(toInbound(update({ text: "hi", chat, message_thread_id: 4 }), context)?.chat.threadId, "4");
  const plain = { id: -5, type: "group" };
  assert.equal(toInbound(update({ text: "hi", chat: plain, message_thread_id: 4 }), context)?.chat.threadId, undefined);
});

test("no update makes it throw", () => {
  fc.assert(
    fc.property(fc.anything(), (anything) => {
      toInbound(anything, context);
    }),
  );
  const value = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.dictionary(fc.string(), fc.anything()));
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom("chat", "from", "text", "entities", "date", "message_id", "reply_to_message"),
        value,
      ),
      (message) => {
        toInbound(update(message), context);
      },
    ),
  );
});

test("targets are understood as people write them", () => {
  for (const text of ["123", "telegram:123", "tg:123", " 123 "])
    assert.equal(parseTarget(text, "default").chatId, "123");
  assert.deepEqual(parseTarget("-100123:topic:4", "work"), {
    channel: "telegram",
    account: "work",
    chatId: "-100123",
    threadId: "4",
  });
  assert.equal(parseTarget("https://t.me/some_channel", "default").chatId, "@some_channel");
  for (const text of ["", "hello there", "12a", "@x", "../etc"])
    assert.throws(() => parseTarget(text, "default"), Fault, text);
});
