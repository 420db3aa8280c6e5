import { queryOptions } from "@tanstack/react-query";

import { client, dataOf, type Schema } from "./client";

export type Key = Schema<"KeyDescription">;
export type NewKey = Schema<"NewKey">;
export type KeyRequest = Schema<"KeyRequest">;

/** All keys, revoked ones too. */
export const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: () => dataOf(client.GET("/api/keys")),
});

/** Make a key; its text is in the answer, and nowhere else ever. */
export function createKey(body: KeyRequest): Promise<NewKey> {
  return dataOf(client.POST("/api/keys", { body }));
}

export function revokeKey(key_id: string): Promise<Key> {
  return dataOf(client.DELETE("/api/keys/{key_id}", { params: { path: { key_id } } }));
}
