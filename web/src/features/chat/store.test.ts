import "fake-indexeddb/auto";

import { expect, it } from "vitest";

import { BrowserStore } from "./store";
import type { Conversation, Message } from "./tree";

const conversation = (id: string, title: string, updatedAt: number): Conversation => ({
  id,
  title,
  createdAt: 0,
  updatedAt,
  model: "demo",
  system: "",
  parameters: {},
  chosen: {},
});

const message = (id: string, owner: string, text: string): Message => ({
  id,
  conversation: owner,
  parent: null,
  role: "user",
  text,
  images: [],
  reasoning: "",
  toolCalls: [],
  model: null,
  state: "done",
  error: null,
  stats: null,
  createdAt: 0,
});

it("keeps, lists, finds and removes conversations with what was said", async () => {
  const store = new BrowserStore("test");
  await store.save(conversation("a", "Soup", 1), [message("m1", "a", "How long do lentils boil?")]);
  await store.save(conversation("b", "Bread", 2), [message("m2", "b", "How hot is the oven?")]);

  expect((await store.list()).map((one) => one.id)).toEqual(["b", "a"]);
  expect(await store.search("LENTILS how")).toEqual(new Set(["a"]));
  expect(await store.search("bread")).toEqual(new Set(["b"]));
  expect(await store.search("lentils oven")).toEqual(new Set());

  await store.remove("a");
  expect(await store.get("a")).toBeNull();
  expect(await store.search("lentils")).toEqual(new Set());
  expect((await store.get("b"))?.messages.get("m2")?.text).toBe("How hot is the oven?");
});
