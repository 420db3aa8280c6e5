import { type DBSchema, type IDBPDatabase, openDB } from "idb";

import type { Conversation, Message, Thread } from "./tree";

/** Where conversations are kept. What keeps them on the server would be another of these. */
export interface ConversationStore {
  /** All conversations without what was said in them, the newest first. */
  list(): Promise<Conversation[]>;
  /** One with all that was said; null if it is not there. */
  get(id: string): Promise<Thread | null>;
  save(conversation: Conversation, messages?: readonly Message[]): Promise<void>;
  remove(id: string): Promise<void>;
  /** The ids of those in which all words of a text were said. */
  search(text: string): Promise<Set<string>>;
}

interface Tables extends DBSchema {
  conversations: { key: string; value: Conversation };
  messages: { key: string; value: Message; indexes: { conversation: string } };
}

/** Conversations in this browser, in IndexedDB. */
export class BrowserStore implements ConversationStore {
  readonly #database: Promise<IDBPDatabase<Tables>>;

  constructor(name = "ingle") {
    this.#database = openDB<Tables>(name, 1, {
      upgrade(database) {
        database.createObjectStore("conversations", { keyPath: "id" });
        const messages = database.createObjectStore("messages", { keyPath: "id" });
        messages.createIndex("conversation", "conversation");
      },
    });
  }

  async list(): Promise<Conversation[]> {
    const all = await (await this.#database).getAll("conversations");
    return all.sort((one, other) => other.updatedAt - one.updatedAt);
  }

  async get(id: string): Promise<Thread | null> {
    const database = await this.#database;
    const conversation = await database.get("conversations", id);
    if (!conversation) return null;
    const messages = await database.getAllFromIndex("messages", "conversation", id);
    return { conversation, messages: new Map(messages.map((one) => [one.id, one])) };
  }

  async save(conversation: Conversation, messages: readonly Message[] = []): Promise<void> {
    const database = await this.#database;
    const change = database.transaction(["conversations", "messages"], "readwrite");
    await Promise.all([
      change.objectStore("conversations").put(conversation),
      ...messages.map((message) => change.objectStore("messages").put(message)),
      change.done,
    ]);
  }

  async remove(id: string): Promise<void> {
    const change = (await this.#database).transaction(["conversations", "messages"], "readwrite");
    await change.objectStore("conversations").delete(id);
    const said = change.objectStore("messages");
    for (const key of await said.index("conversation").getAllKeys(id)) await said.delete(key);
    await change.done;
  }

  async search(text: string): Promise<Set<string>> {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (said: string) => {
      const lower = said.toLowerCase();
      return words.every((word) => lower.includes(word));
    };
    const database = await this.#database;
    const found = new Set<string>();
    for (const one of await database.getAll("conversations")) if (has(one.title)) found.add(one.id);
    // A cursor: all that was ever said need not be in memory at once.
    let at = await database.transaction("messages").store.openCursor();
    while (at) {
      if (!found.has(at.value.conversation) && has(at.value.text)) found.add(at.value.conversation);
      at = await at.continue();
    }
    return found;
  }
}
